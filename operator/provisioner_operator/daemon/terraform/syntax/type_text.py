"""Write a variable's type on one line, as a person would.

Pure. Used by `declarations`. Drops comments, and separates the attributes of an object by commas.
"""

import re
from collections.abc import Iterator

from provisioner_operator.daemon.terraform.syntax.hcl import literal_text, template_end, without_parentheses

ANY_TYPE = "any"
_TOKEN = re.compile(
    r"""(?P<blank>[^\S\n]+|/\*.*?\*/|(?:\#|//)[^\n]*)
    |(?P<newline>\n)
    |(?P<template>"|<<)
    |(?P<mark>[(){}\[\],]|[=:](?![=>:]))
    |(?P<word>[\w.-]+)
    |(?P<operator>[^\s\w"(){}\[\],]+?)""",
    re.DOTALL | re.VERBOSE,
)


def type_text(expression: str) -> str:
    """Return the type; a type that is a string, as once was usual, without its quotes."""
    quoted = literal_text(expression)
    if quoted is not None:
        return " ".join(quoted.split()) or ANY_TYPE
    parts: list[str] = []
    opened: list[str] = []
    for kind, mark in _tokens(without_parentheses(expression)):
        if kind == "newline" or mark == ",":
            separates = mark == "," or (opened and opened[-1] == "{")
            if separates and parts and parts[-1] not in {"{", ","}:
                parts.append(",")
            continue
        if mark in {"}", ")", "]"}:
            if parts and parts[-1] == ",":
                parts.pop()
            if opened:
                opened.pop()
        elif mark in {"{", "(", "["}:
            opened.append(mark)
        parts.append("=" if mark == ":" and opened and opened[-1] == "{" else mark)
    return "".join(_spaced(parts)) or ANY_TYPE


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(text) and (found := _TOKEN.match(text, at)) is not None:
        kind, at = str(found.lastgroup), found.end()
        if kind == "template":
            at = template_end(text, found.start())
        if kind != "blank":
            yield kind, text[found.start() : at]


def _spaced(parts: list[str]) -> Iterator[str]:
    before = ""
    for part in parts:
        if part in {"=", ":"}:
            yield f" {part} "
        elif part == ",":
            yield ", "
        else:
            yield f" {part}" if _is_word(before) and _is_word(part) else part
        before = part


def _is_word(part: str) -> bool:
    return part[-1:].isalnum() or part[:1] == '"'

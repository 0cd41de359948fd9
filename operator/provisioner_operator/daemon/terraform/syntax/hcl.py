"""Split a file of Terraform's language into its arguments and blocks, without reading what they compute.

Pure. Used by `declarations`. An expression is kept as its text: only quotes, heredocs, comments and brackets, which say
where it ends, are understood. So the file of a module that `validate` accepts is read whatever its expressions hold;
one that it does not accept may be read too. Takes a time linear in the length, and no depth of Python's stack.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from provisioner_operator.daemon.terraform.syntax.literals import NoLiteralError, unescape

_NAME = re.compile(r"[^\s\x00-\x1f\"'`=(){}\[\]#/*,:;.<>!?&|%$+~^@\\]+")
"""A name in any script; which characters Unicode allows in one is left to Terraform."""
_BLANK = re.compile(r"(?:[^\S\n]|/\*.*?\*/)*+", re.DOTALL)
_GAP = re.compile(r"(?:\s|(?:#|//)[^\n]*|/\*.*?\*/)*+", re.DOTALL)
_CODE = re.compile(rf'["(){{}}\[\]\n]|(?:#|//)[^\n]*|/\*(?:.*?\*/)?|<<-?(?P<marker>{_NAME.pattern})\r?\n', re.DOTALL)
_QUOTED = re.compile(r'\\.|(?:\$\$|%%)\{|[$%]\{|"|\n')
_HEREDOC = r"(?:\$\$|%%)\{{|[$%]\{{|^[^\S\n]*{}[^\S\n]*(?=\n|\Z)"
_CLOSES: Final = {"(": ")", "[": "]", "{": "}"}
_DOUBLED = re.compile(r"(?:\$\$|%%)(?=\{)")
_OPENED = re.compile(rf"<<(?P<flush>-?){_NAME.pattern}\r?\n")


@dataclass(frozen=True, slots=True)
class Argument:
    """A name and the text of its expression."""

    name: str
    expression: str


@dataclass(frozen=True, slots=True)
class Block:
    """A block's type and labels, and the text between its braces."""

    type: str
    labels: tuple[str, ...]
    body: str


def read_body(text: str) -> Iterator[Argument | Block]:
    """Yield what a file or a block's body holds. Raises ValueError where it is neither argument nor block."""
    at = 0
    while (at := _after(_GAP, text, at)) < len(text):
        name = _NAME.match(text, at)
        if name is None:
            raise _error(text, at, "has neither an argument nor a block")
        at = _after(_BLANK, text, name.end())
        if text.startswith("=", at):
            end = _end(text, at + 1)
            yield Argument(name[0], text[at + 1 : end].strip())
            at = end
        else:
            labels, opening = _labels(text, at)
            end = _end(text, opening, enclosed=True)
            yield Block(name[0], labels, text[opening + 1 : end - 1])
            at = end


def literal_text(expression: str) -> str | None:
    """Return the value of a string without a template, or of a heredoc; None for any other expression."""
    text = without_parentheses(expression)
    opened = _OPENED.match(text)
    if opened is not None:
        end = _end(text, 0)
        value = text[opened.end() : text.rfind("\n", 0, end) + 1].replace("\r\n", "\n")
        return _DOUBLED.sub(lambda found: found[0][0], _flush(value) if opened["flush"] else value)
    if not text.startswith('"') or _end(text, 0, enclosed=True) != len(text):
        return None
    try:
        return unescape(text[1:-1])
    except NoLiteralError:
        return None


def without_parentheses(expression: str) -> str:
    """Return the expression without the comments, blanks and parentheses around it."""
    text = _inner(expression)
    while text.startswith("(") and _after(_GAP, text, end := _end(text, 0, enclosed=True)) == len(text):
        text = _inner(text[1 : end - 1])
    end = _first_end(text)
    return text[:end] if _after(_GAP, text, end) == len(text) else text


def template_end(text: str, at: int) -> int:
    """Return the end of the string or heredoc that begins at this place."""
    return _end(text, at, enclosed=True)


def _first_end(text: str) -> int:
    """Return the end of the string or word at the beginning of an expression."""
    return _end(text, 0, enclosed=True) if text.startswith('"') else _after(_NAME, text, 0)


def _inner(text: str) -> str:
    return text[_after(_GAP, text, 0) :].rstrip()


def _after(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return at if found is None else found.end()


def _labels(text: str, at: int) -> tuple[tuple[str, ...], int]:
    """Return the labels from this place on, and the place of the brace after them."""
    labels: list[str] = []
    while not text.startswith("{", at):
        if text.startswith('"', at):
            end = _end(text, at, enclosed=True)
            labels.append(unescape(text[at + 1 : end - 1]))
        elif (name := _NAME.match(text, at)) is not None:
            end = name.end()
            labels.append(name[0])
        else:
            raise _error(text, at, "has a name that neither '=' nor a block follows")
        at = _after(_BLANK, text, end)
    return tuple(labels), at


def _end(text: str, at: int, *, enclosed: bool = False) -> int:
    """Return the end of an expression, which a line break or a closing brace ends, or of one bracket or quote.

    What is open is a stack: the character that closes a bracket or a string, or the pattern of a heredoc's text.
    """
    start, stack = at, list[str | re.Pattern[str]]()
    while True:
        top = stack[-1] if stack else ""
        pattern = _CODE if isinstance(top, str) else top
        found = (_QUOTED if top == '"' else pattern).search(text, at)
        if found is None:
            if stack or enclosed:
                raise _error(text, start, "begins something that is not closed")
            return len(text)
        at, mark = found.end(), found[0]
        if pattern is _CODE and top != '"':
            if not stack and (mark in {"\n", "}"} or mark[:2] == "//" or mark[0] == "#"):
                return found.start()
            _take_code(text, found, stack)
        elif mark in {"${", "%{"}:
            stack.append("}")
        elif mark == "\n" and top == '"':
            raise _error(text, start, "begins a string that is not closed on its line")
        elif mark == '"' or mark.strip()[:1] not in {"\\", "$", "%"}:
            stack.pop()
        if enclosed and not stack:
            return at


def _take_code(text: str, found: re.Match[str], stack: list[str | re.Pattern[str]]) -> None:
    mark = found[0]
    if mark == "/*":
        raise _error(text, found.start(), "begins a comment that is not closed")
    if found["marker"] is not None:
        stack.append(re.compile(_HEREDOC.format(re.escape(found["marker"])), re.MULTILINE))
    elif mark == '"':
        stack.append('"')
    elif mark in _CLOSES:
        stack.append(_CLOSES[mark])
    elif mark in {")", "]", "}"} and (not stack or stack.pop() != mark):
        raise _error(text, found.start(), f"has a '{mark}' that closes nothing")


def _flush(text: str) -> str:
    """Remove the indentation that all lines have in common; blank lines do not count, and keep theirs."""
    lines = text.splitlines(keepends=True)
    indented = [len(line) - len(line.lstrip()) for line in lines if line.strip()]
    common = min(indented, default=0)
    return "".join(line[common:] if line.strip() else line for line in lines)


def _error(text: str, at: int, problem: str) -> ValueError:
    return ValueError(f"line {text.count(chr(10), 0, at) + 1} {problem}")

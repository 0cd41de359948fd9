"""Translate a literal of Terraform's language into JSON.

Pure; used by `value_files` for values that Terraform would read as expressions. It accepts what an expression can be
without a function, an operator or a template: null, booleans, numbers, strings, tuples and objects; so also JSON itself.
"""

import json
import re
from collections.abc import Callable
from typing import Final

DEEPEST = 100
"""Levels of nesting: no value written by hand has more, and the parser needs a frame of Python for each."""
_TOKEN = re.compile(
    r"""(?P<blank>[ \t\r]+|/\*.*?\*/|(?:\#|//)[^\n]*)
    |(?P<newline>\n)
    |(?P<number>-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)
    |"(?P<string>(?:[^"\\\n]|\\.)*)"
    |(?P<name>[^\W\d][\w-]*)
    |(?P<mark>[\[\]{}=:,])""",
    re.DOTALL | re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))|(\$\$|%%)(?=\{)|([$%]\{)", re.DOTALL)
_ESCAPED: Final = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_WORDS: Final = {"null", "true", "false"}

Token = tuple[str, str]


class NoLiteralError(ValueError):
    """The text is an expression that has to be evaluated, or is no expression at all."""


def literal_as_json(text: str) -> str:
    """Return the literal as JSON; numbers keep all their digits. Raises NoLiteralError."""
    parser = _Parser(_tokens(text))
    value = parser.value(0)
    parser.skip_newlines()
    if parser.kind != "end":
        raise NoLiteralError("it has something after its end")
    return value


def _tokens(text: str) -> list[Token]:
    tokens, at = [], 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise NoLiteralError("it is not a literal")
        at = found.end()
        if found.lastgroup != "blank":
            tokens.append((found.lastgroup, found[found.lastgroup]))
    return [*tokens, ("end", "")]


class _Parser:
    """The tokens that remain. Newlines count only between the items of an object, as in Terraform's language."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0

    @property
    def kind(self) -> str:
        return self._tokens[self._at][0]

    def skip_newlines(self) -> None:
        while self.kind == "newline":
            self._at += 1

    def value(self, depth: int) -> str:
        self.skip_newlines()
        kind, text = self._take()
        if depth > DEEPEST:
            raise NoLiteralError(f"it has more than {DEEPEST} levels")
        if kind == "number":
            return _number(text)
        if kind == "string":
            return json.dumps(unescape(text))
        if kind == "name" and text in _WORDS:
            return text
        if (kind, text) == ("mark", "["):
            return f"[{', '.join(self._until(']', lambda: self.value(depth + 1)))}]"
        if (kind, text) == ("mark", "{"):
            return self._object(depth)
        raise NoLiteralError("it is not a literal")

    def _object(self, depth: int) -> str:
        items: dict[str, str] = {}

        def item() -> str:
            kind, key = self._take()
            if kind not in {"name", "string"} or (kind == "name" and key == "for"):
                raise NoLiteralError("it has an object with a key that is neither a name nor a string")
            if self._take() not in {("mark", "="), ("mark", ":")}:
                raise NoLiteralError("it has an object with a key that has no value")
            # The last of equal keys counts for Terraform; a file of values may not have it twice.
            items[json.dumps(key if kind == "name" else unescape(key))] = self.value(depth + 1)
            return ""

        self._until("}", item, newline_separates=True)
        return f"{{{', '.join(f'{key}: {value}' for key, value in items.items())}}}"

    def _until(self, end: str, item: Callable[[], str], *, newline_separates: bool = False) -> list[str]:
        found: list[str] = []
        while True:
            self.skip_newlines()
            if self._tokens[self._at] == ("mark", end):
                self._at += 1
                return found
            found.append(item())
            separated = newline_separates and self.kind == "newline"
            self.skip_newlines()
            if self._tokens[self._at] == ("mark", ","):
                self._at += 1
            elif not separated and self._tokens[self._at] != ("mark", end):
                raise NoLiteralError("it has items without a comma between them")

    def _take(self) -> Token:
        token = self._tokens[self._at]
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return token


def _number(text: str) -> str:
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    return sign + (digits.lstrip("0") if re.match("0+[0-9]", digits) else digits)


def unescape(text: str) -> str:
    """Return the value of a string from what is between its quotes. Raises NoLiteralError."""

    def character(found: re.Match[str]) -> str:
        short, long, single, doubled, template = found.groups()
        if template is not None or (single is not None and single not in _ESCAPED):
            raise NoLiteralError("it has a string with a template, or with an escape that Terraform does not know")
        if doubled is not None:
            return str(doubled[0])
        if single is not None:
            return _ESCAPED[single]
        try:
            escaped = chr(int(short or long, 16))
            escaped.encode()
        except (ValueError, OverflowError):  # beyond Unicode, or half of a pair
            raise NoLiteralError("it has a string with an escape that is no character") from None
        return escaped

    return _ESCAPE.sub(character, text)

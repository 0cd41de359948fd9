"""Splits CEL expressions into their clauses: the boolean operands that a test can drop or turn one by one."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_OPENING, _CLOSING = "([{", ")]}"
_PREDICATES = (".all", ".exists", ".exists_one", ".filter")
"""Macros whose last argument is a condition on the elements of a list or map."""


@dataclass(frozen=True, slots=True)
class Clause:
    """Boolean operand that is not composed of others, except in its arguments."""

    expression: str
    start: int
    end: int

    @property
    def text(self) -> str:
        """Return the clause in one line, without arguments that have clauses of their own."""
        text, at = "", self.start
        for low, high, is_condition in _arguments(self.expression, self.start, self.end):
            if any(_clauses(self.expression, low, high, boolean=is_condition)):
                text += self.expression[at:low] + "..."
                at = high
        line = " ".join((text + self.expression[at : self.end]).split())
        return re.sub(r"authorizer\..*\.check", "authorizer...check", line)

    def replaced_by(self, value: str) -> str:
        """Return the expression with this value in place of the clause."""
        return self.expression[: self.start] + value + self.expression[self.end :]


def clauses(expression: str, *, boolean: bool) -> list[Clause]:
    """Return all clauses of the expression, in order.

    Args:
        expression: CEL without comments.
        boolean: Whether the expression itself is a condition; otherwise only the conditions in it count.
    """
    return list(_clauses(expression, 0, len(expression), boolean=boolean))


def _clauses(text: str, start: int, end: int, *, boolean: bool) -> Iterator[Clause]:
    start, end = _trimmed(text, start, end)
    question = _separators(text, start, end, "?")
    if question:
        first = question[0]
        colon = _matching_colon(text, first + 1, end)
        yield from _clauses(text, start, first, boolean=True)
        yield from _clauses(text, first + 1, colon, boolean=boolean)
        yield from _clauses(text, colon + 1, end, boolean=boolean)
        return
    for operator in ("||", "&&"):
        found = _separators(text, start, end, operator)
        if found:
            for low, high in zip([start, *(each + 2 for each in found)], [*found, end], strict=True):
                yield from _clauses(text, low, high, boolean=True)
            return
    while text[start:end].startswith("!"):
        start, end = _trimmed(text, start + 1, end)
    if text[start] == "(" and _closing(text, start) == end - 1:
        yield from _clauses(text, start + 1, end - 1, boolean=boolean)
        return
    if boolean or _is_condition(text, start, end):
        yield Clause(text, start, end)
    for low, high, is_condition in _arguments(text, start, end):
        yield from _clauses(text, low, high, boolean=is_condition)


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    part = text[start:end]
    return start + len(part) - len(part.lstrip()), end - len(part) + len(part.rstrip())


def _is_condition(text: str, start: int, end: int) -> bool:
    if text[start:end].endswith(".allowed()"):
        return True
    return any(_separators(text, start, end, sign) for sign in (" == ", " != ", " < ", " > ", " <= ", " >= ", " in "))


def _arguments(text: str, start: int, end: int) -> Iterator[tuple[int, int, bool]]:
    """Yield each argument of a call, element of a list and value of a map, and whether it is the condition of a macro."""
    at = start
    while at < end:
        if text[at] in "'\"":
            at = _string_end(text, at)
        elif text[at] in _OPENING:
            closing = _closing(text, at)
            commas = _separators(text, at + 1, closing, ",")
            for before, high in zip([at, *commas], [*commas, closing], strict=True):
                colons = _separators(text, before + 1, high, ":") if text[at] == "{" else []
                low = (colons[0] if colons else before) + 1
                if text[low:high].strip():
                    is_condition = text[start:at].endswith(_PREDICATES) and bool(commas) and high == closing
                    yield *_trimmed(text, low, high), is_condition
            at = closing + 1
        else:
            at += 1


def _separators(text: str, start: int, end: int, separator: str) -> list[int]:
    """Yield the positions of the separator outside of strings and brackets."""
    found: list[int] = []
    at = start
    while at < end:
        if text[at] in "'\"":
            at = _string_end(text, at)
        elif text[at] in _OPENING:
            at = _closing(text, at) + 1
        else:
            if text.startswith(separator, at) and not (separator == "?" and text[at - 1] in ".["):
                found.append(at)
            at += 1
    return found


def _matching_colon(text: str, start: int, end: int) -> int:
    inner = _separators(text, start, end, "?")
    colons = _separators(text, start, end, ":")
    for colon in colons:
        if sum(each < colon for each in inner) == sum(each < colon for each in colons):
            return colon
    raise ValueError(f"no ':' for a '?' in {text!r}")


def _closing(text: str, opening: int) -> int:
    at, depth = opening, 0
    while True:
        if text[at] in "'\"":
            at = _string_end(text, at)
            continue
        depth += (text[at] in _OPENING) - (text[at] in _CLOSING)
        if depth == 0:
            return at
        at += 1


def _string_end(text: str, start: int) -> int:
    at = start + 1
    while text[at] != text[start]:
        at += 2 if text[at] == "\\" else 1
    return at + 1

"""Render kubectl's path templates (`-o jsonpath=…`), as far as lists of jobs need them. Pure.

Text outside braces is kept. Within: `.field`, `['field']`, `[2]`, `[-1]`, `[*]`, `.*`, `[?(@.field=="text")]`, text in quotes,
and `{range PATH}…{end}`. A path that leads nowhere renders nothing.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from provisioner_operator.cli.errors import UsageError
from provisioner_operator.core.model.json_value import JsonValue

_STEP = re.compile(
    r"""\.(?P<field>(?:\\.|[^.\[\s\\])+)
    | \[\?\(@(?P<path>[^=!<>()]*?)\s*(?:(?P<operator>==|!=)\s*(?P<value>"[^"]*"|'[^']*'|[^)]+?)\s*)?\)\]
    | \['(?P<quoted>[^']*)'\]
    | \["(?P<doubly>[^"]*)"\]
    | \[(?P<index>-?\d+|\*)\]""",
    re.VERBOSE,
)
_PIECE = re.compile(r"\{((?:[^{}\"']|\"[^\"]*\"|'[^']*')*)\}")
_ESCAPES = {"\\n": "\n", "\\t": "\t"}


@dataclass(frozen=True, slots=True)
class _Text:
    text: str


@dataclass(frozen=True, slots=True)
class _Path:
    steps: tuple[dict[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Range:
    path: _Path
    body: tuple["_Node", ...]


_Node = _Text | _Path | _Range


class Template:
    """A checked template. Raises UsageError if it is invalid."""

    def __init__(self, text: str) -> None:
        pieces = iter(_pieces(text if "{" in text else f"{{{text}}}"))
        self._nodes, ended = _nodes(pieces)
        if ended:
            raise UsageError("The jsonpath has {end} without {range}.")

    def render(self, document: JsonValue) -> str:
        """Return the text of the template for this document."""
        return "".join(_rendered(self._nodes, document, document))


def _pieces(text: str) -> Iterator[tuple[bool, str]]:
    """Yield the parts of the template, each with whether it was in braces."""
    at = 0
    for match in _PIECE.finditer(text):
        if match.start() > at:
            yield False, text[at : match.start()]
        yield True, match.group(1).strip()
        at = match.end()
    rest = text[at:]
    if "{" in rest or "}" in rest:
        raise UsageError(f"The jsonpath {text!r} has an unbalanced brace.")
    if rest:
        yield False, rest


def _nodes(pieces: Iterator[tuple[bool, str]]) -> tuple[tuple[_Node, ...], bool]:
    nodes: list[_Node] = []
    for braced, text in pieces:
        if not braced:
            nodes.append(_Text(text))
        elif text == "end":
            return tuple(nodes), True
        elif text.startswith("range"):
            body, ended = _nodes(pieces)
            if not ended:
                raise UsageError("The jsonpath has {range} without {end}.")
            nodes.append(_Range(_path(text.removeprefix("range").strip()), body))
        elif text[:1] in {'"', "'"}:
            nodes.append(_Text(_unescaped(text[1:-1])))
        else:
            nodes.append(_path(text))
    return tuple(nodes), False


def _unescaped(text: str) -> str:
    for escape, meant in _ESCAPES.items():
        text = text.replace(escape, meant)
    return text


def _path(text: str) -> _Path:
    rest = text.removeprefix("$").removeprefix("@")
    if rest and rest[0] not in ".[":
        rest = f".{rest}"
    steps: list[dict[str, str]] = []
    at = 0
    while at < len(rest) and rest != ".":
        match = _STEP.match(rest, at)
        if match is None:
            raise UsageError(f"The jsonpath {{{text}}} is invalid from {rest[at:]!r} on.")
        steps.append({name: value for name, value in match.groupdict().items() if value is not None})
        at = match.end()
    return _Path(tuple(steps))


def _rendered(nodes: Sequence[_Node], here: JsonValue, root: JsonValue) -> Iterator[str]:
    for node in nodes:
        match node:
            case _Text(text):
                yield text
            case _Path():
                yield " ".join(_text(value) for value in _found(node, here))
            case _Range(path, body):
                for value in _found(path, here):
                    yield from _rendered(body, value, root)


def _found(path: _Path, document: JsonValue) -> list[JsonValue]:
    values = [document]
    for step in path.steps:
        values = [found for value in values for found in _step(step, value)]
    return values


def _step(step: dict[str, str], value: JsonValue) -> list[JsonValue]:
    if "path" in step:
        return [each for each in value if _holds(step, each)] if isinstance(value, list) else []
    if "index" in step:
        return _indexed(step["index"], value)
    name = step.get("quoted", step.get("doubly", step.get("field", ""))).replace("\\.", ".")
    if name == "*" and "field" in step:
        return _indexed("*", value)
    return [value[name]] if isinstance(value, dict) and name in value else []


def _indexed(index: str, value: JsonValue) -> list[JsonValue]:
    if index == "*":
        return list(value.values()) if isinstance(value, dict) else list(value) if isinstance(value, list) else []
    at = int(index)
    return [value[at]] if isinstance(value, list) and -len(value) <= at < len(value) else []


def _holds(step: dict[str, str], each: JsonValue) -> bool:
    found = _found(_path(step["path"]), each)
    if "operator" not in step:
        return bool(found)
    wanted = step["value"].strip("\"'")
    same = any(_text(value) == wanted for value in found)
    return same if step["operator"] == "==" else not same


def _text(value: JsonValue) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)

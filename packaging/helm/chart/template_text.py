"""YAML with Helm's expressions in it.

An object is changed by putting slots into it; `render` writes it as YAML, in which each slot has become its expression. All
other text stays what it is when Helm renders it, even if it has braces of its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable

    Manifest = dict[str, Any]

NESTING = 2
"""Columns by which a mapping is indented below its key."""


@dataclass(frozen=True, slots=True, eq=False)
class Slot:
    """A place for text of the template, given the column at which it stands."""

    text: Callable[[int], str]


class Value(Slot):
    """A slot in the place of a value."""


class Lines(Slot):
    """A slot in the place of an item of a list, or, as a key, of an entry of a mapping."""


def inline(expression: str) -> Value:
    """Return a value that is this text, such as `{{ .Values.logFormat }}`."""
    return Value(lambda _: expression)


def block(expression: str) -> Value:
    """Return a value that is a mapping or a list, by the expression that yields it."""
    return Value(lambda column: f"{{{{- toYaml {expression} | nindent {column + NESTING} }}}}")


def line(text: str) -> Lines:
    """Return a line such as `{{- end }}`."""
    return Lines(lambda column: " " * column + text)


def further(expression: str) -> Lines:
    """Return the items or entries that an expression yields, if any, in addition to those that stand around them."""
    return Lines(lambda column: _with(expression, f"{{{{- toYaml . | nindent {column} }}}}", column))


def optional(key: str, expression: str) -> Lines:
    """Return an entry of a mapping with this key, if the expression yields a value that is not empty."""
    nested = f"{{{{- toYaml . | nindent %d }}}}"  # noqa: F541 - braces are doubled here as everywhere
    return Lines(lambda column: _with(expression, f"{key}: {nested % (column + NESTING)}", column))


def optional_scalar(key: str, expression: str) -> Lines:
    """Return an entry of a mapping with this key, if the expression yields a word that is not empty."""
    return Lines(lambda column: _with(expression, f"{key}: {{{{ . }}}}", column))


def _with(expression: str, body: str, column: int) -> str:
    return "\n".join(" " * column + each for each in (f"{{{{- with {expression} }}}}", body, "{{- end }}"))


def conditional(condition: str, entries: Manifest) -> dict[Any, Any]:
    """Return the entries of a mapping between the lines of a condition."""
    return {line(f"{{{{- if {condition} }}}}"): None, **entries, line("{{- end }}"): None}


@dataclass(slots=True)
class _Rendering:
    slots: dict[str, Slot] = field(default_factory=dict)

    def plain(self, value: Any) -> Any:
        """Return the value with tokens for its slots."""
        if isinstance(value, Slot):
            token = f"SLOT-{len(self.slots)}-"
            self.slots[token] = value
            return token
        if isinstance(value, dict):
            return {self.plain(key): self.plain(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self.plain(each) for each in value]
        return value

    def filled(self, text: str) -> str:
        return "\n".join(self._line(each) for each in text.split("\n"))

    def _line(self, text: str) -> str:
        found = re.search(r"SLOT-\d+-", text)
        if found is None:
            return text
        slot = self.slots[found[0]]
        column = len(text) - len(text.lstrip(" "))
        if isinstance(slot, Lines):
            return slot.text(column)
        # The first key of a mapping in a list stands behind its dash.
        column += len(re.match(r"(?:- )*", text.lstrip(" "))[0])  # type: ignore[index] # matches always
        return text.replace(found[0], slot.text(column))


class _Dumper(yaml.SafeDumper):
    """Long texts stay legible, and no object is written as a reference to an equal one."""

    @override
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _represent_text)


def dump(value: Any) -> str:
    """Return a value without slots as YAML."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, width=10**6, allow_unicode=True)


def render(value: Any) -> str:
    """Return a value with slots as the text of a template."""
    rendering = _Rendering()
    return rendering.filled(dump(rendering.plain(value)).replace("{{", '{{ "{{" }}'))

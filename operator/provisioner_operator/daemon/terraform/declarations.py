"""Read the declarations of a Terraform module from its files: input variables and managed resources.

Pure. Reads Terraform's language by way of `hcl`, and its JSON form; files named `override` or `*_override` change the
declarations of the others, as Terraform merges them, and a variable that a file of values (`*.auto.tfvars`) sets is not
required. A file that cannot be parsed is an error of its own and not of the module: `validate` has accepted it. Used by
`inspection.program`.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Any

from provisioner_operator.api.v1alpha1.limits import LONGEST_VARIABLE_NAME, VARIABLE_NAME
from provisioner_operator.core.jobs.outcome import DeclaredVariable, ResourceChange
from provisioner_operator.daemon.terraform.syntax.hcl import (
    Argument,
    Block,
    literal_text,
    read_body,
    without_parentheses,
)
from provisioner_operator.daemon.terraform.syntax.type_text import type_text
from provisioner_operator.daemon.terraform.value_files import AUTOMATIC, STANDARD

DECLARE = "declare"
NATIVE, JSON = ".tf", ".tf.json"
TOFU_ONLY = (".tofu", ".tofu.json")
"""Files that OpenTofu alone takes, in place of those that Terraform takes; they are not read here."""
_PRIMITIVE = frozenset({"string", "number", "bool"})
_VALUE_FILES = (".tfvars", ".tfvars.json")
_NAME = re.compile(VARIABLE_NAME)

_JsonBlock = Mapping[str, Any]


@dataclass(slots=True)
class _Document:
    """The declarations of one file, whatever its syntax."""

    variables: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """Names and arguments; of the latter, those that count here have their values."""
    resources: list[tuple[str, str]] = field(default_factory=list)
    """Types and names."""
    arguments: set[str] = field(default_factory=set)
    """The names that a file of values sets."""


@dataclass(slots=True)
class Declarations:
    """The declarations found so far; `read` takes the files one by one, in the order of `in_order`."""

    variables: dict[str, DeclaredVariable] = field(default_factory=dict)
    resources: dict[str, ResourceChange] = field(default_factory=dict)
    expressions: set[str] = field(default_factory=set)
    """Variables for which Terraform evaluates text: those with a type that is not primitive."""
    ephemeral: set[str] = field(default_factory=set)
    """Variables whose values no plan keeps."""
    left_out: list[str] = field(default_factory=list)
    """Variables with a name that a job's status does not accept."""

    def read(self, name: str, text: str) -> None:
        """Add the declarations of a file. Raises ValueError when it cannot be parsed."""
        try:
            document = _json_document(text) if name.endswith(".json") else _native_document(text)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - of a nesting too deep, for example
            first = str(error).strip().splitlines() or [type(error).__name__]
            raise ValueError(first[0]) from None
        if name.endswith(_VALUE_FILES):
            self._set(document.arguments)
        else:
            self._note(document)

    def _set(self, names: set[str]) -> None:
        """Note the variables that a file of values sets: a run needs no value for them from elsewhere."""
        for name, variable in self.variables.items():
            if name in names:
                self.variables[name] = replace(variable, required=False)

    def _note(self, document: _Document) -> None:
        for name, arguments in document.variables:
            if not _NAME.fullmatch(name) or len(name) > LONGEST_VARIABLE_NAME:
                self.left_out.append(name)
            else:
                self._note_variable(name, arguments)
        for kind, name in document.resources:
            address = f"{kind}.{name}"
            self.resources[address] = ResourceChange(address, kind, DECLARE)

    def _note_variable(self, name: str, arguments: Mapping[str, Any]) -> None:
        known = self.variables.get(name) or DeclaredVariable(name, required=True)
        self.variables[name] = replace(
            known,
            required=known.required and "default" not in arguments,
            type=arguments.get("type", known.type),
            sensitive=arguments.get("sensitive", known.sensitive),
            description=arguments.get("description", known.description),
        )
        if "type" in arguments:
            (self.expressions.discard if arguments["type"] in _PRIMITIVE else self.expressions.add)(name)
        if "ephemeral" in arguments:
            (self.ephemeral.add if arguments["ephemeral"] else self.ephemeral.discard)(name)


def in_order(names: Iterator[str]) -> list[str]:
    """Return the files of a module among these: declarations, those that override others, and values of variables."""
    module = [name for name in names if _is_read(name) and not name.startswith(".")]
    return sorted(module, key=lambda name: (name.endswith(_VALUE_FILES), _overrides(name), name))


def _is_read(name: str) -> bool:
    return name.endswith((NATIVE, JSON, *AUTOMATIC)) or name in STANDARD


def _overrides(name: str) -> bool:
    stem = PurePath(name).name.removesuffix(".json").removesuffix(NATIVE)
    return stem == "override" or stem.endswith("_override")


def _native_document(text: str) -> _Document:
    document = _Document()
    for item in read_body(text):
        if isinstance(item, Argument):
            document.arguments.add(item.name)
        elif item.type == "variable" and len(item.labels) == 1:
            document.variables.append((item.labels[0], _native_arguments(item)))
        elif item.type == "resource" and len(item.labels) == 2:  # noqa: PLR2004 - its type and its name
            document.resources.append((item.labels[0], item.labels[1]))
    return document


def _native_arguments(variable: Block) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in read_body(variable.body):
        if isinstance(item, Argument):
            bare = without_parentheses(item.expression)
            match item.name:
                case "type":
                    found["type"] = type_text(item.expression)
                case "description":
                    # Terraform takes an expression of constants too: it is shown as it is written.
                    text = literal_text(bare)
                    found["description"] = "" if bare == "null" else (bare if text is None else text).rstrip("\n")
                case "sensitive" | "ephemeral":
                    found[item.name] = _is_true(bare)
                case name:
                    found[name] = bare
    return found


def _json_document(text: str) -> _Document:
    document = _Document()
    content = json.loads(text, object_pairs_hook=_with_all_of_a_name)
    for root in content if isinstance(content, list) else [content]:
        document.arguments.update(root)
        for name, block in _labeled(root.get("variable")):
            document.variables.append((name, _json_arguments(block)))
        for kind, named in _labeled(root.get("resource")):
            document.resources.extend((kind, name) for name, _ in _labeled(named))
    return document


def _json_arguments(block: _JsonBlock) -> dict[str, Any]:
    found = dict(block)
    if "type" in block:
        found["type"] = type_text(str(block["type"]))
    if "description" in block:
        found["description"] = "" if block["description"] is None else str(block["description"])
    for name in {"sensitive", "ephemeral"} & block.keys():
        found[name] = _is_true(json.dumps(block[name]))
    return found


def _with_all_of_a_name(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Keep what several properties of one name hold, as a list: each declares blocks of its own."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            both = [found[name], value]
            found[name] = [each for one in both for each in (one if isinstance(one, list) else [one])]
        else:
            found[name] = value
    return found


def _labeled(blocks: object) -> Iterator[tuple[str, _JsonBlock]]:
    """Yield the blocks with their first label: an object has one of each label, and a list has such objects."""
    for group in blocks if isinstance(blocks, list) else [blocks]:
        if isinstance(group, dict):
            for label, block in group.items():
                for each in block if isinstance(block, list) else [block]:
                    if isinstance(each, dict):
                        yield str(label), each


def _is_true(expression: str) -> bool:
    """Return whether a flag is set; an expression of constants that says neither counts as set, which hides a value."""
    text = literal_text(expression)
    return (expression if text is None else text).strip() not in {"false", "null"}

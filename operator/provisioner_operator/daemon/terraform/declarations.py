"""Read the declarations of a Terraform module from its files: input variables and managed resources.

Pure. Parses Terraform's language with python-hcl2, and its JSON form; files named `override` or `*_override` change the
declarations of the others, as Terraform merges them, and a variable that a file of values (`*.auto.tfvars`) sets is not
required. A file that cannot be parsed is an error of its own and not of the module: `validate` has accepted it. Used by
`inspect_program`, which alone loads the parser.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Any

import hcl2
from hcl2.utils import SerializationOptions

from provisioner_operator.api.v1alpha1.limits import LONGEST_VARIABLE_NAME, VARIABLE_NAME
from provisioner_operator.core.jobs.outcome import DeclaredVariable, ResourceChange
from provisioner_operator.daemon.terraform.value_files import AUTOMATIC, STANDARD

DECLARE = "declare"
NATIVE, JSON = ".tf", ".tf.json"
TOFU_ONLY = (".tofu", ".tofu.json")
"""Files that OpenTofu alone takes, in place of those that Terraform takes; they are not read here."""
ANY_TYPE = "any"
_PRIMITIVE = frozenset({"string", "number", "bool"})
_VALUE_FILES = (".tfvars", ".tfvars.json")
_VALUES = SerializationOptions(
    with_comments=False, explicit_blocks=False, preserve_heredocs=False, strip_string_quotes=True
)
_EXPRESSION = re.compile(r"\$\{(.*)\}", re.DOTALL)
_NAME = re.compile(VARIABLE_NAME)

_Block = Mapping[str, Any]


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
        json_syntax = name.endswith(".json")
        try:
            document = json.loads(text) if json_syntax else hcl2.loads(text, serialization_options=_VALUES)
            if name.endswith(_VALUE_FILES):
                self._set(document)
            else:
                self._note(document, json_syntax=json_syntax)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - the parser raises errors of its own parts
            first = str(error).strip().splitlines() or [type(error).__name__]
            raise ValueError(first[0]) from None

    def _set(self, values: _Block) -> None:
        """Note the variables that a file of values sets: a run needs no value for them from elsewhere."""
        for name, variable in self.variables.items():
            if name in values:
                self.variables[name] = replace(variable, required=False)

    def _note(self, document: _Block, *, json_syntax: bool) -> None:
        for name, block in _labeled(document.get("variable")):
            if not _NAME.fullmatch(name) or len(name) > LONGEST_VARIABLE_NAME:
                self.left_out.append(name)
            else:
                self._note_variable(name, block, json_syntax=json_syntax)
        for kind, named in _labeled(document.get("resource")):
            for name, _ in _labeled(named):
                address = f"{kind}.{name}"
                self.resources[address] = ResourceChange(address, kind, DECLARE)

    def _note_variable(self, name: str, block: _Block, *, json_syntax: bool) -> None:
        self.variables[name] = _merge(self.variables.get(name), name, block, json_syntax=json_syntax)
        if "type" in block:
            primitive = _type(block["type"], json_syntax=json_syntax) in _PRIMITIVE
            (self.expressions.discard if primitive else self.expressions.add)(name)
        if "ephemeral" in block:
            (self.ephemeral.add if _is_true(block["ephemeral"]) else self.ephemeral.discard)(name)


def in_order(names: Iterator[str]) -> list[str]:
    """Return the files of a module among these: declarations, those that override others, and values of variables."""
    module = [name for name in names if _is_read(name) and not name.startswith((".", "#"))]
    return sorted(module, key=lambda name: (name.endswith(_VALUE_FILES), _overrides(name), name))


def _is_read(name: str) -> bool:
    return name.endswith((NATIVE, JSON, *AUTOMATIC)) or name in STANDARD


def _overrides(name: str) -> bool:
    stem = PurePath(name).name.removesuffix(".json").removesuffix(NATIVE)
    return stem == "override" or stem.endswith("_override")


def _labeled(blocks: object) -> Iterator[tuple[str, _Block]]:
    """Yield the blocks with their first label; the parser returns an object, or a list of objects."""
    for group in blocks if isinstance(blocks, list) else [blocks]:
        if isinstance(group, dict):
            for label, block in group.items():
                for each in block if isinstance(block, list) else [block]:
                    if isinstance(each, dict):
                        yield str(label), each


def _merge(known: DeclaredVariable | None, name: str, block: _Block, *, json_syntax: bool) -> DeclaredVariable:
    variable = DeclaredVariable(name, required=True) if known is None else known
    if "type" in block:
        variable = replace(variable, type=_type(block["type"], json_syntax=json_syntax))
    if "default" in block:
        variable = replace(variable, required=False)
    if "sensitive" in block:
        variable = replace(variable, sensitive=_is_true(block["sensitive"]))
    if "description" in block:
        variable = replace(variable, description=str(block["description"]))
    return variable


def _type(value: object, *, json_syntax: bool) -> str:
    text = str(value)
    if not json_syntax and (expression := _EXPRESSION.fullmatch(text)):
        text = expression[1]
    return " ".join(text.split()) or ANY_TYPE


def _is_true(value: object) -> bool:
    return value is True or (isinstance(value, str) and value.strip().lower() in {"true", "${true}"})

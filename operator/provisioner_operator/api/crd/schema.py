"""Convert a pydantic model to the structural OpenAPI v3 schema of a CustomResourceDefinition.

Pydantic writes JSON Schema, of which the API server accepts a part: no references, no `anyOf` with null, no titles.
This module refuses whatever it cannot write structurally, so that a new kind of field fails here and not in a cluster.
"""

import inspect
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core import CoreSchema, core_schema
from typing_extensions import override

from provisioner_operator.api.crd.docstrings import attribute_docstrings
from provisioner_operator.api.v1alpha1.rules import IMMUTABLE, RULES, at_creation

_KEYWORDS = (
    "description",
    "type",
    "format",
    "default",
    "enum",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "required",
    "properties",
    "additionalProperties",
    "items",
    "x-kubernetes-int-or-string",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    RULES,
)
"""Keywords of a structural schema, in the order in which they are written."""
_NESTED = ("items", "additionalProperties")
"""Keywords with the schema of all elements."""


class UnstructuralError(TypeError):
    """Raised for a model with a field that has no structural schema."""


def structural_schema(model: type[BaseModel]) -> JsonSchemaValue:
    """Generate the model's schema with the API's field names, without references, and with known keywords only."""
    schema = model.model_json_schema(by_alias=True, schema_generator=_StructuralGenerator)
    return _structural(schema, definitions=schema.pop("$defs", {}), path=(model.__name__,))


class _StructuralGenerator(GenerateJsonSchema):
    """Generator that writes Kubernetes' form where pydantic's default differs."""

    @override
    def generate(self, schema: CoreSchema, mode: JsonSchemaMode = "validation") -> JsonSchemaValue:
        self.ignored_warning_kinds = {"non-serializable-default"}
        return super().generate(schema, mode)

    @override
    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        """Add the docstrings of the model's fields as descriptions."""
        written = super().model_schema(schema)
        model = schema["cls"]
        texts = attribute_docstrings(model)
        for name, field in model.model_fields.items():
            if name in texts:
                written["properties"][field.alias or name].setdefault("description", texts[name])
        return written

    @override
    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """Write an optional field as one that may be absent, never null: the API server prunes nulls."""
        return self.generate_inner(schema["schema"])

    @override
    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Write a default unless it is None or empty; an absent list reads as an empty one.

        A model's default holds only the fields that were given; the API server fills in the defaults of the others.
        """
        inner = self.generate_inner(schema["schema"])
        default = schema.get("default")
        if isinstance(default, BaseModel):
            return {**inner, "default": default.model_dump(mode="json", by_alias=True, exclude_unset=True)}
        if default is None or default in ([], {}):
            return inner
        return {**inner, "default": self.encode_default(default)}

    @override
    def int_schema(self, schema: core_schema.IntSchema) -> JsonSchemaValue:
        """Write integers as Kubernetes' own types do."""
        return {**super().int_schema(schema), "format": "int64"}

    @override
    def field_title_should_be_set(self, schema: Any) -> bool:
        """Leave out titles, which only repeat the field's name."""
        return False


def _structural(schema: JsonSchemaValue, *, definitions: dict[str, Any], path: tuple[str, ...]) -> JsonSchemaValue:
    """Inline the references of the schema, check its keywords and order them, recursively."""
    schema, path = _inlined(schema, definitions=definitions, path=path)
    schema.pop("title", None)
    unknown = schema.keys() - set(_KEYWORDS)
    if unknown or not schema.keys() & {"type", "x-kubernetes-int-or-string"}:
        raise UnstructuralError(f"{'.'.join(path)}: {', '.join(sorted(unknown)) or 'no type'} in {schema}")

    def inner(child: JsonSchemaValue, step: str) -> JsonSchemaValue:
        return _structural(child, definitions=definitions, path=(*path, step))

    if "description" in schema:
        schema["description"] = _unwrapped(schema["description"]) + default_in_words(schema.get("default"))
    if "properties" in schema:
        schema["properties"] = {name: inner(child, name) for name, child in schema["properties"].items()}
    for keyword in _NESTED:
        if keyword in schema:
            schema[keyword] = inner(schema[keyword], keyword)
    if any(each["rule"] == IMMUTABLE for each in schema.get(RULES, ())):
        _evaluate_at_creation(schema)
    return {keyword: schema[keyword] for keyword in _KEYWORDS if keyword in schema}


def _evaluate_at_creation(schema: JsonSchemaValue) -> None:
    """Let the rules of a field that never changes, and of all within it, be evaluated at creation alone."""
    if RULES in schema:
        schema[RULES] = [each if "oldSelf" in each["rule"] else at_creation(each) for each in schema[RULES]]
    for child in (*schema.get("properties", {}).values(), *(schema[key] for key in _NESTED if key in schema)):
        _evaluate_at_creation(child)


def _inlined(
    schema: JsonSchemaValue, *, definitions: dict[str, Any], path: tuple[str, ...]
) -> tuple[JsonSchemaValue, tuple[str, ...]]:
    """Copy the schema with its reference inlined. Keywords beside the reference take precedence, and rules add up."""
    if "$ref" not in schema:
        return {**schema}, path
    name = schema["$ref"].rpartition("/")[2]
    if f"({name})" in path:
        raise UnstructuralError(f"{'.'.join(path)}: {name} contains itself")
    beside = {keyword: value for keyword, value in schema.items() if keyword != "$ref"}
    named = definitions[name]
    if RULES in beside:
        beside[RULES] = [*named.get(RULES, ()), *beside[RULES]]
    return {**named, **beside}, (*path, f"({name})")


def _unwrapped(text: str) -> str:
    """Join each paragraph into one line: kubectl wraps it for the terminal."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in inspect.cleandoc(text).split("\n\n"))


def default_in_words(default: object) -> str:
    """Describe a default, which `kubectl explain` does not show; `false` and 0 need no words."""
    return f" Defaults to {default}." if default and isinstance(default, str | int) else ""

"""Schemas of pydantic that Kubernetes does not accept are rewritten, or refused where they cannot be."""

# ruff: noqa: RUF012 (pydantic copies a default for each object)

from typing import Annotated, Literal

import pytest
from pydantic import ConfigDict, Field, WithJsonSchema

from provisioner_operator.api.crd.schema import UnstructuralError, structural_schema
from provisioner_operator.api.v1alpha1.base import Model
from provisioner_operator.api.v1alpha1.rules import at_creation, exactly_one_of, frozen_except, rule, validated_by


class Inner(Model):
    """An inner model."""

    size: Annotated[int, Field(ge=1)] = 3
    """Size
    it is."""


class Outer(Model):
    """An outer model."""

    inner: Inner | None = None
    """Perhaps one."""
    preset: Inner = Inner(size=5)
    """One with a default."""
    named: dict[str, str] = {}
    """By name."""
    must: str
    """Required."""


def test_references_are_replaced_by_what_they_name_and_optional_fields_are_never_null() -> None:
    inner = structural_schema(Outer)["properties"]["inner"]

    assert inner["description"] == "Perhaps one."
    assert inner["properties"]["size"] == {
        "description": "Size it is. Defaults to 3.",
        "type": "integer",
        "format": "int64",
        "default": 3,
        "minimum": 1,
    }
    assert "default" not in inner


def test_a_models_default_holds_what_was_given_to_it() -> None:
    assert structural_schema(Outer)["properties"]["preset"]["default"] == {"size": 5}


def test_an_empty_default_is_left_out() -> None:
    assert "default" not in structural_schema(Outer)["properties"]["named"]


def test_only_fields_without_a_default_are_required() -> None:
    assert structural_schema(Outer)["required"] == ["must"]


def test_a_union_is_refused() -> None:
    class Either(Model):
        value: int | str

    with pytest.raises(UnstructuralError, match=r"Either\.value: anyOf"):
        structural_schema(Either)


def test_an_amount_may_be_a_number_or_text() -> None:
    class Measured(Model):
        amount: Annotated[str, WithJsonSchema({"x-kubernetes-int-or-string": True, "maxLength": 8})]
        """Amount."""

    assert structural_schema(Measured)["properties"]["amount"] == {
        "description": "Amount.",
        "maxLength": 8,
        "x-kubernetes-int-or-string": True,
    }


def test_a_fixed_value_is_refused() -> None:
    class Fixed(Model):
        value: Literal["only"]

    with pytest.raises(UnstructuralError, match=r"Fixed\.value: const"):
        structural_schema(Fixed)


class Recursive(Model):
    """Holds itself."""

    children: list["Recursive"] = []


def test_a_model_that_contains_itself_is_refused() -> None:
    with pytest.raises(UnstructuralError):
        structural_schema(Recursive)


def test_all_fields_but_the_mutable_ones_are_frozen_where_they_stand() -> None:
    class Guarded(Model):
        model_config = ConfigDict(json_schema_extra=validated_by(rule("true", "its own")))

    class Spec(Model):
        model_config = ConfigDict(
            json_schema_extra=frozen_except(frozenset({"canMove"}), "spec", rule("true", "first"))
        )

        can_move: int = 1
        stays_put: int = 1
        may_be_unset: Guarded | None = None
        may_be_empty: list[int] = []

    schema = structural_schema(Spec)
    fields = schema["properties"]
    rules = {name: [each["message"] for each in fields[name].get("x-kubernetes-validations", [])] for name in fields}
    frozen = "spec.{} is immutable: create a new job instead"

    assert rules == {
        "canMove": [],
        "staysPut": [frozen.format("staysPut")],
        "mayBeUnset": ["its own", frozen.format("mayBeUnset")],
        "mayBeEmpty": [frozen.format("mayBeEmpty")],
    }
    assert fields["mayBeEmpty"]["default"] == []
    assert [each["rule"] for each in schema["x-kubernetes-validations"]] == [
        "oldSelf.hasValue() || (true)",
        "dyn(self).size() == dyn(oldSelf).size() || (has(self.mayBeUnset) == has(oldSelf.mayBeUnset))",
    ]


def test_rules_in_what_never_changes_are_evaluated_at_creation() -> None:
    checked = rule("self != ''", "not empty")

    class Item(Model):
        name: Annotated[str, Field(json_schema_extra=validated_by(checked))]

    class Spec(Model):
        model_config = ConfigDict(json_schema_extra=frozen_except(frozenset({"canMove"}), "spec"))

        can_move: list[Item] = []
        stays_put: list[Item] = []

    fields = structural_schema(Spec)["properties"]
    rules = {name: fields[name]["items"]["properties"]["name"]["x-kubernetes-validations"] for name in fields}

    assert rules == {"canMove": [checked], "staysPut": [at_creation(checked)]}
    assert at_creation(checked)["optionalOldSelf"]


def test_exactly_one_of_counts_the_fields_that_are_set() -> None:
    assert exactly_one_of("a", "b") == "[has(self.a), has(self.b)].exists_one(is_set, is_set)"

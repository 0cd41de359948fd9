"""Variants of the manifests leave out what they say, and nothing else, in an API group of their own."""

from typing import Any

import pytest
import yaml

from bench.writes.variants import Variant, without
from provisioner_operator.api.v1alpha1.rules import RULES
from support.manifests import Manifest

SHIPPED = Variant("shipped")


def policies(variant: Variant) -> set[str]:
    kinds = ("ValidatingAdmissionPolicy", "MutatingAdmissionPolicy")
    return {each["metadata"]["name"].partition(".")[0] for each in variant.manifests() if each["kind"] in kinds}


def rules(part: Any) -> int:
    if isinstance(part, list):
        return sum(map(rules, part))
    if not isinstance(part, dict):
        return 0
    return len(part.get(RULES, ())) + sum(map(rules, part.values()))


def schema(variant: Variant) -> Manifest:
    (definition,) = (each for each in variant.manifests() if each["metadata"]["name"].startswith("provisionerjobs."))
    found: Manifest = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return found


def test_a_variant_names_no_other_group() -> None:
    text = yaml.safe_dump_all(SHIPPED.manifests())

    assert SHIPPED.restored(text).count("provisioner.dev") == text.count("shipped.provisioner.dev") > 0
    assert SHIPPED.path(SHIPPED.restored(text)) == text


def test_policies_are_left_out_with_their_bindings() -> None:
    fewer = Variant("fewer", has_policy=without("cancel", "stamp-job"))

    assert policies(SHIPPED) - policies(fewer) == {"cancel", "stamp-job"}
    assert len(list(SHIPPED.manifests())) - len(list(fewer.manifests())) == 4


@pytest.mark.parametrize("part", ["spec", "status"])
def test_rules_of_a_part_are_left_out(part: str) -> None:
    shipped, ruleless = schema(SHIPPED), schema(Variant("ruleless", ruleless=(part,)))

    assert rules(ruleless["properties"][part]) == 0
    assert rules(shipped) - rules(ruleless) == rules(shipped["properties"][part]) > 0


def test_rules_of_the_whole_job_are_left_out_alone_or_with_all_others() -> None:
    assert RULES not in schema(Variant("rootless", ruleless=("root",)))
    assert rules(schema(Variant("rootless", ruleless=("root",)))) > 0
    assert rules(schema(Variant("bare", ruleless=("all",)))) == 0

"""The clauses of the policies: conditions in their expressions, and the operations and resources that they match."""

from collections.abc import Iterator

import yaml

from support.cel import clauses
from support.manifests import MANIFESTS, Manifest

POLICIES = MANIFESTS / "policies"
_KINDS = ("ValidatingAdmissionPolicy", "MutatingAdmissionPolicy")


def clauses_by_policy() -> dict[str, set[str]]:
    """Map each policy's name, without the group, to its clauses, as `PLACE: TEXT`."""
    return {
        document["metadata"]["name"].removesuffix(".provisioner.dev"): set(_clauses(document["spec"]))
        for path in sorted(POLICIES.rglob("*.yaml"))
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8"))
        if document["kind"] in _KINDS
    }


def _clauses(spec: Manifest) -> Iterator[str]:
    for rule in spec["matchConstraints"]["resourceRules"]:
        for part in ("operations", "resources"):
            yield from (f"{part} of {' '.join(rule['resources'])}: {each}" for each in rule[part])
    for place, expression, is_condition in _expressions(spec):
        yield from (f"{place}: {clause.text}" for clause in clauses(expression, boolean=is_condition))


def _expressions(spec: Manifest) -> Iterator[tuple[str, str, bool]]:
    for condition in spec.get("matchConditions", []):
        yield condition["name"], condition["expression"], True
    for variable in spec.get("variables", []):
        yield variable["name"], variable["expression"], False
    for number, validation in enumerate(spec.get("validations", []), 1):
        yield f"validation {number}", validation["expression"], True
        yield f"message {number}", validation.get("messageExpression", "''"), False
    for number, mutation in enumerate(spec.get("mutations", []), 1):
        yield f"mutation {number}", mutation["jsonPatch"]["expression"], False

"""The API server refuses what the rules of the CRDs forbid, at the field and in the rule's words."""

from collections.abc import Callable, Iterator

import pytest
import yaml

from integration.api import accepted
from integration.api.violations import CHANGES, CREATIONS
from integration.api.violations.row import Change, Creation
from provisioner_operator.api.crd.definitions import KINDS
from provisioner_operator.api.v1alpha1.enums import Phase
from support.builders.manifests import a_job_manifest, a_template_manifest
from support.cluster.kubectl import Kubectl
from support.manifests import Manifest


@pytest.mark.parametrize("row", CREATIONS, ids=str)
def test_an_object_that_breaks_a_rule_is_not_created(row: Creation, kubectl: Kubectl) -> None:
    refusal = kubectl.api.create(row.manifest, dry_run=True).refusal

    assert row.says in refusal
    assert f"{row.at}:" in refusal


def test_a_refusal_names_the_tag_and_the_parameter_that_are_wrong(kubectl: Kubectl) -> None:
    tags = kubectl.api.create(a_job_manifest(tags={"good": "x", "not good": "x"}), dry_run=True).refusal
    size = {"name": "size", "type": "number", "default": "9", "validation": {"max": 8}}
    parameter = kubectl.api.create(a_template_manifest(parameters=[size]), dry_run=True).refusal

    assert "a letter or digit: see the tag not good" in tags
    assert "parameter size: default is outside validation.min and validation.max" in parameter


@pytest.mark.parametrize("row", CHANGES, ids=str)
def test_a_change_that_breaks_a_rule_is_refused(
    row: Change, kubectl: Kubectl, unstamped: Kubectl, name_of: Callable[[str, Phase | str], str]
) -> None:
    user, name = unstamped if row.unstamped else kubectl, name_of(row.kind, row.job)
    subresource = "status" if "status" in row.patch else None

    refusal = user.api.patch(row.kind, name, row.patch, subresource=subresource, dry_run=True).refusal

    assert row.says in refusal
    assert f"{row.at}:" in refusal


def test_every_rule_of_the_crds_has_a_row_that_breaks_it() -> None:
    in_crds = {
        (kind.plural, rule["message"])
        for kind in KINDS
        for version in yaml.safe_load(kind.text())["spec"]["versions"]
        for rule in _rules(version["schema"]["openAPIV3Schema"])
    }

    rows: tuple[Creation | Change, ...] = (*CREATIONS, *CHANGES)

    assert {(row.kind, row.rule) for row in rows} == in_crds


@pytest.mark.parametrize("manifest", accepted.CREATIONS, ids=lambda manifest: str(manifest["spec"])[:60])
def test_what_the_rules_allow_is_created(manifest: Manifest, kubectl: Kubectl) -> None:
    assert kubectl.create(manifest, dry_run=True)["metadata"]["uid"]


@pytest.mark.parametrize(("kind", "state", "change"), accepted.CHANGES, ids=str)
def test_what_is_not_frozen_can_change(
    kind: str, state: Phase | str, change: Manifest, kubectl: Kubectl, name_of: Callable[[str, Phase | str], str]
) -> None:
    stored = kubectl.patch(kind, name_of(kind, state), {"spec": change}, dry_run=True)

    assert stored["spec"].items() >= change.items()


@pytest.mark.parametrize(("state", "change"), accepted.STATUSES, ids=str)
def test_what_is_not_final_can_change(
    state: Phase | str, change: Manifest, kubectl: Kubectl, job_in: Callable[[Phase | str], str]
) -> None:
    stored = kubectl.patch("pj", job_in(state), {"status": change}, subresource="status", dry_run=True)

    assert stored["status"].items() >= change.items()


def _rules(schema: Manifest) -> Iterator[Manifest]:
    yield from schema.get("x-kubernetes-validations", [])
    for child in (*schema.get("properties", {}).values(), schema.get("items"), schema.get("additionalProperties")):
        if child is not None:
            yield from _rules(child)

"""Snapshots for the test of compatibility are complete."""

import re

import pytest

from support.manifests import REPOSITORY, Manifest
from support.stored_objects.examples import examples
from support.stored_objects.full_objects import full_objects
from support.stored_objects.snapshot import Snapshot, current_definitions, fields_in, fields_of, schema_of, snapshots

KINDS = {each["spec"]["names"]["kind"]: each for each in current_definitions()}


@pytest.mark.parametrize("kind", KINDS)
def test_the_full_objects_have_every_field(kind: str) -> None:
    fields = {each for each in fields_of(schema_of(KINDS[kind])) if each.startswith((".spec.", ".status."))}
    present = {path for each in full_objects() if each["kind"] == kind for path in fields_in(each)}

    assert sorted(fields - present) == [], "add them to tests/support/stored_objects/full_objects.py"


def _name(manifest: Manifest) -> tuple[str, str]:
    return manifest["kind"], manifest["metadata"]["name"]


def test_examples_have_different_names_and_every_kind() -> None:
    names = [_name(each) for each in examples()]

    assert len(set(names)) == len(names)
    assert {kind for kind, _ in names} == set(KINDS)


@pytest.mark.parametrize("snapshot", snapshots(), ids=lambda each: each.name)
def test_a_snapshot_has_objects_of_each_of_its_kinds(snapshot: Snapshot) -> None:
    kinds = {each["spec"]["names"]["kind"] for each in snapshot.definitions()}

    assert {each["kind"] for each in snapshot.objects()} == kinds


def test_each_released_version_has_a_snapshot() -> None:
    changelog = (REPOSITORY / "CHANGELOG.md").read_text("utf-8")
    released = re.findall(r"^## \[?(\d\S*?)\]? - \d{4}-", changelog, re.MULTILINE)

    assert {f"v{each}" for each in released} <= {each.name for each in snapshots()}, "run `make snapshot`"

"""Objects that were stored under the definitions of an earlier version stay usable under those of this one."""

import copy
from collections.abc import Callable, Iterator

import pytest

from provisioner_devcluster import ControlPlane
from support.cluster.kubectl import Kubectl
from support.manifests import Manifest
from support.stored_objects.migration import StoredObjects
from support.stored_objects.snapshot import Snapshot, current_definitions, schema_of, snapshots


@pytest.fixture(scope="module")
def admin() -> Iterator[Kubectl]:
    """The administrator of a control plane that no other test uses, without the product."""
    with ControlPlane.start() as plane:
        yield Kubectl(plane.kubeconfig)


@pytest.mark.parametrize("snapshot", snapshots(), ids=lambda each: each.name)
def test_objects_of_an_earlier_version_stay_usable(admin: Kubectl, snapshot: Snapshot) -> None:
    stored = StoredObjects(admin, snapshot)

    stored.upgrade(current_definitions())

    assert list(stored.findings()) == []


def _remove_a_field(spec: Manifest) -> None:
    del spec["properties"]["autostopSeconds"]


def _require_a_field(spec: Manifest) -> None:
    spec["required"] = [*spec.get("required", []), "owner"]


def _forbid_a_value(spec: Manifest) -> None:
    spec["properties"]["updatePolicy"]["enum"].remove("OnStart")


def _shorten_a_text(spec: Manifest) -> None:
    spec["properties"]["parameters"]["items"]["properties"]["value"]["maxLength"] = 100


def _add_a_rule(spec: Manifest) -> None:
    rule = {"rule": "!has(self.autostopSeconds) || self.autostopSeconds >= 7200", "message": "two hours at least"}
    spec["x-kubernetes-validations"] = [*spec.get("x-kubernetes-validations", []), rule]


def test_each_kind_of_tightening_is_found(admin: Kubectl) -> None:
    stored = StoredObjects(admin, snapshots()[-1])
    found: dict[Callable[[Manifest], None], list[str]] = {}
    expected = {
        _remove_a_field: "lost spec.autostopSeconds",
        _require_a_field: "cannot be changed by",
        _forbid_a_value: "cannot be created anew",
        _shorten_a_text: "cannot be created anew",
        _add_a_rule: "two hours at least",
    }
    for change in expected:
        stored.upgrade(_with_changed_workspaces(change))
        found[change] = list(stored.findings("Workspace"))

    unnoticed = [
        change.__name__ for change, sign in expected.items() if not any(sign in each for each in found[change])
    ]
    assert unnoticed == [], found


def _with_changed_workspaces(change: Callable[[Manifest], None]) -> list[Manifest]:
    definitions = copy.deepcopy(current_definitions())
    (workspaces,) = (each for each in definitions if each["spec"]["names"]["kind"] == "Workspace")
    change(schema_of(workspaces)["properties"]["spec"])
    return definitions

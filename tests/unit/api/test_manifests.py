"""The manifests keep what they promise: least privilege, and every role where it belongs."""

import pytest
import yaml

from support.manifests import MANIFESTS, Manifest

OWN = {"provisionerjobs", "provisionerdaemons", "provisionerpools", "provisionerpools/scale"}


def role(name: str) -> Manifest:
    documents = yaml.safe_load_all((MANIFESTS / "rbac" / f"{name}.yaml").read_text(encoding="utf-8"))
    manifest: Manifest = next(each for each in documents if each["metadata"]["name"] == f"provisioner-{name}")
    return manifest


def verbs(name: str, resource: str) -> set[str]:
    return {verb for rule in role(name)["rules"] if resource in rule["resources"] for verb in rule["verbs"]}


@pytest.mark.parametrize("name", ["viewer", "submitter", "admin", "operator", "daemon"])
def test_no_role_has_a_wildcard(name: str) -> None:
    assert "*" not in str(role(name)["rules"])


@pytest.mark.parametrize("name", ["viewer", "submitter", "operator", "daemon"])
def test_only_the_admin_role_cancels_or_acts_for_others(name: str) -> None:
    assert not verbs(name, "provisionerjobs") & {"cancel", "impersonate"}
    assert verbs("admin", "provisionerjobs") >= {"cancel", "impersonate"}


def test_a_submitter_cannot_delete_for_that_stops_a_running_job() -> None:
    assert not verbs("submitter", "provisionerjobs") & {"delete", "deletecollection"}


@pytest.mark.parametrize("name", ["operator", "daemon"])
def test_whoever_works_on_jobs_writes_their_status_only(name: str) -> None:
    assert verbs(name, "provisionerjobs/status") == {"patch"}
    assert not verbs(name, "provisionerjobs") & {"create", "update", "patch"}


@pytest.mark.parametrize("name", ["viewer", "submitter", "admin"])
def test_no_person_writes_a_status(name: str) -> None:
    assert all(set(rule["resources"]) <= OWN for rule in role(name)["rules"])


@pytest.mark.parametrize(("name", "into"), [("viewer", "view"), ("submitter", "edit"), ("admin", "admin")])
def test_roles_of_people_are_part_of_the_built_in_ones(name: str, into: str) -> None:
    assert role(name)["metadata"]["labels"] == {f"rbac.authorization.k8s.io/aggregate-to-{into}": "true"}

"""The manifests keep what they promise: least privilege, and every role where it belongs."""

import re

import pytest
import yaml

from provisioner_operator.api.v1alpha1.job import JobSpec
from support.manifests import MANIFESTS, Manifest

OWN = {
    *("provisionerjobs", "provisionerdaemons", "provisionerpools", "provisionerqueues", "provisionerpools/scale"),
    *("workspacetemplates", "workspaces"),
}


ROLES: dict[str, Manifest] = {
    document["metadata"]["name"]: document
    for file in (MANIFESTS / "rbac").glob("*.yaml")
    for document in yaml.safe_load_all(file.read_text(encoding="utf-8"))
    if document["kind"] == "ClusterRole"
}


def role(name: str) -> Manifest:
    return ROLES[f"provisioner-{name}"]


def verbs(name: str, resource: str) -> set[str]:
    return {verb for rule in role(name)["rules"] if resource in rule["resources"] for verb in rule["verbs"]}


@pytest.mark.parametrize("name", ROLES)
def test_no_role_has_a_wildcard(name: str) -> None:
    assert "*" not in str(ROLES[name]["rules"])


@pytest.mark.parametrize("name", ["viewer", "submitter", "operator", "daemon"])
def test_only_the_admin_role_cancels(name: str) -> None:
    assert "cancel" not in verbs(name, "provisionerjobs")
    assert "cancel" in verbs("admin", "provisionerjobs")


@pytest.mark.parametrize("name", ["viewer", "submitter", "daemon"])
def test_only_admins_and_the_controller_act_for_others(name: str) -> None:
    for resource in ("provisionerjobs", "workspaces"):
        assert "impersonate" not in verbs(name, resource)
        assert "impersonate" in verbs("admin", resource) & verbs("operator", resource)


def test_a_submitter_cannot_delete_for_that_stops_a_running_job() -> None:
    assert not verbs("submitter", "provisionerjobs") & {"delete", "deletecollection"}


def test_a_daemon_that_is_a_pod_writes_no_daemons_spec_and_speaks_for_no_other() -> None:
    assert verbs("daemon", "provisionerdaemons") == {"get"}
    assert verbs("external-daemon", "provisionerdaemons") == {"create", "patch", "impersonate"}


def test_a_daemon_writes_of_jobs_their_status_only() -> None:
    assert verbs("daemon", "provisionerjobs/status") == verbs("operator", "provisionerjobs/status") == {"patch"}
    assert not verbs("daemon", "provisionerjobs") & {"create", "update", "patch", "delete"}


def test_the_controller_reads_no_secrets_and_changes_no_config_map() -> None:
    assert not verbs("operator", "secrets")
    assert verbs("operator", "configmaps") == {"get", "create", "delete"}


@pytest.mark.parametrize("name", ["viewer", "submitter", "admin"])
def test_no_person_writes_a_status(name: str) -> None:
    others = {"leases"} if name == "admin" else set()
    assert all(set(rule["resources"]) <= OWN | others for rule in role(name)["rules"])


def test_an_admin_changes_leases_only_as_the_policy_on_locks_permits() -> None:
    assert verbs("admin", "leases") == {"get", "patch"}


@pytest.mark.parametrize(("name", "into"), [("viewer", "view"), ("submitter", "edit"), ("admin", "admin")])
def test_roles_of_people_are_part_of_the_built_in_ones(name: str, into: str) -> None:
    assert role(name)["metadata"]["labels"] == {f"rbac.authorization.k8s.io/aggregate-to-{into}": "true"}


def test_no_probe_of_the_web_server_shares_the_connections_of_its_users() -> None:
    file = MANIFESTS / "components" / "web" / "deployment.yaml"
    (container,) = yaml.safe_load(file.read_text(encoding="utf-8"))["spec"]["template"]["spec"]["containers"]
    probes = [container[f"{kind}Probe"]["httpGet"] for kind in ("startup", "readiness", "liveness")]

    assert {probe["port"] for probe in probes} == {"metrics"}


def test_the_policy_on_exchanged_fields_knows_each_that_can_be_absent() -> None:
    file = MANIFESTS / "policies" / "ownership.yaml"
    policy = next(yaml.safe_load_all(file.read_text(encoding="utf-8")))
    (expression,) = [each["expression"] for each in policy["spec"]["variables"] if each["name"] == "exchanged"]
    optional = {
        field.alias or name
        for name, field in JobSpec.model_fields.items()
        if field.default is None and (field.alias or name) not in JobSpec.mutable_fields
    }

    assert set(re.findall(r"'(\w+)'", expression)) == optional

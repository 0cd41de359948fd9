"""Each ServiceAccount may do what docs/security.md says, and nothing else."""

import pytest

from support.cluster.permissions import EVERYWHERE, ITS_NAMESPACE, Authority, documented

SYSTEM, TEAM, UNRELATED = "provisioner-system", "team-example", "kube-public"
ACCOUNTS = [("provisioner-operator", SYSTEM), ("provisioner-daemon", TEAM), ("provisioner-web", SYSTEM)]
NAMES = ["operator", "daemon", "web"]


@pytest.mark.parametrize(("account", "namespace"), ACCOUNTS, ids=NAMES)
def test_a_service_account_may_do_what_the_table_says_and_nothing_else(
    account: str, namespace: str, authority: Authority
) -> None:
    everywhere, here = documented(account, EVERYWHERE), documented(account, ITS_NAMESPACE)
    assert everywhere | here

    assert authority.granted(account, namespace, within=namespace) == everywhere | here
    assert authority.granted(account, namespace, within=UNRELATED) == everywhere


@pytest.mark.parametrize("verb", ["get", "list", "watch"])
@pytest.mark.parametrize(("account", "namespace"), ACCOUNTS, ids=NAMES)
def test_nobody_reads_secrets_of_all_namespaces(account: str, namespace: str, verb: str, authority: Authority) -> None:
    for within in (None, "kube-system", SYSTEM):
        assert not authority.allows(account, namespace, verb, "secrets", within=within)


def test_a_daemon_reads_the_secrets_of_its_own_namespace(authority: Authority) -> None:
    assert authority.allows("provisioner-daemon", TEAM, "get", "secrets", within=TEAM)


def test_only_the_controller_makes_pods_and_nobody_enters_or_changes_them(authority: Authority) -> None:
    assert authority.allows("provisioner-operator", SYSTEM, "create", "pods", within=TEAM)
    assert not authority.allows("provisioner-daemon", TEAM, "create", "pods", within=TEAM)
    for account, namespace in ACCOUNTS:
        for verb, resource in (("update", "pods"), ("patch", "pods"), ("create", "pods/exec"), ("get", "pods/log")):
            assert not authority.allows(account, namespace, verb, resource, within=TEAM)


@pytest.mark.parametrize(("account", "namespace"), ACCOUNTS, ids=NAMES)
def test_nobody_creates_workloads_or_changes_rights(account: str, namespace: str, authority: Authority) -> None:
    for resource in ("deployments", "daemonsets", "jobs", "serviceaccounts", "roles", "rolebindings", "clusterroles"):
        assert not authority.allows(account, namespace, "create", resource, within=namespace)


def test_the_web_server_reads_and_changes_nothing(authority: Authority) -> None:
    permitted = authority.granted("provisioner-web", SYSTEM, within=TEAM)
    assert {permission.verb for permission in permitted} == {"get", "list", "watch"}
    assert {permission.group for permission in permitted} == {"provisioner.dev", ""}
    assert not authority.allows("provisioner-web", SYSTEM, "impersonate", "users", within=None)

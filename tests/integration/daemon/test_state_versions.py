"""Versions of a state: kept by the runs of a real daemon, and listed, read and restored by the command line."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from integration.daemon.conftest import Office, wait_until
from integration.daemon.test_terraform import SLEEPER, a_build, actions, sleeping
from provisioner_operator.cli.errors import Exit
from support.cluster.shared_cluster import Cluster
from support.programs.cli import Cli

COUNTED = 'variable "token" {{}}\nresource "terraform_data" "counted" {{\n  count = {}\n}}\n'
STATE, VERSIONS, LOCK = "tfstate-default-dev-7-ws", "state-versions-dev-7", "lock-tfstate-default-dev-7-ws"


@pytest.fixture
def worked(office: Office) -> Office:
    """A workspace that was built with one resource, then with three."""
    office.kubectl.run("create", "secret", "generic", "cloud", "--from-literal=token=hunter2hunter2")
    office.start_terraform("d1")
    for name, count in (("one", 1), ("two", 3)):
        office.submit_spec(name, a_build(COUNTED.format(count)))
        office.await_phase(name, "Completed")
    # A command that needs the state to be at rest asks the daemon's own list as well, which it writes after a job's end.
    wait_until(lambda: not office.daemon("d1").get("currentJobs"), "the daemon to report that it runs nothing")
    return office


@pytest.fixture
def admin(cluster: Cluster, worked: Office) -> Cli:
    return Cli(cluster.kubeconfig, worked.namespace)


def listed(cli: Cli) -> list[tuple[int, str]]:
    """Resources and origin of the versions, the newest first."""
    versions = json.loads(cli.run("workspaces", "state", "list", "dev-7", "-o", "json").out)
    return [(each["resources"], each["origin"]) for each in versions]


def pulled(cli: Cli, *version: str) -> dict[str, Any]:
    text = cli.run("workspaces", "state", "pull", "dev-7", *version).out
    state: dict[str, Any] = json.loads(text)
    return state


def test_each_run_keeps_a_version_and_a_restored_one_is_what_the_next_build_starts_from(
    worked: Office, admin: Cli
) -> None:
    assert listed(admin) == [(3, "after two"), (1, "after one")]
    first, second = pulled(admin, "1"), pulled(admin, "2")
    assert [len(each["resources"][0]["instances"]) for each in (first, second)] == [1, 3]
    assert pulled(admin) == second

    said = admin.run("workspaces", "state", "restore", "dev-7", "1").out
    assert "version 1 is the present state" in said
    restored = pulled(admin)
    assert restored == first | {"serial": second["serial"] + 1}
    assert "holderIdentity" not in worked.kubectl.get("lease", LOCK)["spec"]

    worked.submit_spec("three", a_build(COUNTED.format(3)))
    done = actions(worked.await_phase("three", "Completed"))
    assert done == {"terraform_data.counted[1]": "create", "terraform_data.counted[2]": "create"}
    assert [origin for _, origin in listed(admin)] == ["after three", "before three", "after two", "after one"]


def test_a_restore_is_refused_while_the_state_is_locked_or_a_run_is_under_way(worked: Office, admin: Cli) -> None:
    before = pulled(admin)
    lock = {"spec": {"holderIdentity": "1-2-3"}}
    info = {"metadata": {"annotations": {"app.terraform.io/lock-info": '{"Who": "joe@host"}'}}}
    worked.kubectl.patch("lease", LOCK, lock | info)
    locked = admin.attempt("workspaces", "state", "restore", "dev-7", "1")
    assert (locked.code, "locked by joe@host" in locked.err) == (Exit.PRECONDITION, True)
    worked.kubectl.patch("lease", LOCK, {"spec": {"holderIdentity": None}})

    worked.submit_spec("busy", a_build(SLEEPER))
    sleeping(worked, "busy")
    running = admin.attempt("workspaces", "state", "restore", "dev-7", "1")
    assert (running.code, "Job busy of the workspace is Running" in running.err) == (Exit.PRECONDITION, True)
    assert pulled(admin)["lineage"] == before["lineage"]


def test_only_who_may_read_secrets_reads_versions(
    worked: Office, kubeconfig_for: Callable[[str, Sequence[str]], Path]
) -> None:
    submitter = Cli(kubeconfig_for("submitter", ()), worked.namespace)
    for command in (["list", "dev-7"], ["pull", "dev-7"], ["pull", "dev-7", "1"], ["restore", "dev-7", "1"]):
        answer = submitter.attempt("workspaces", "state", *command)
        assert (answer.code, answer.out) == (Exit.FORBIDDEN, "")
        assert "may not get secrets" in answer.err
        assert "ClusterRole edit" in answer.err


def test_a_version_that_is_not_kept_is_named_with_those_that_are(admin: Cli) -> None:
    answer = admin.attempt("workspaces", "state", "pull", "dev-7", "9")
    assert (answer.code, "Kept: 2, 1." in answer.err) == (Exit.NOT_FOUND, True)
    nothing = admin.attempt("workspaces", "state", "pull", "nothing")
    assert (nothing.code, "has no state in namespace" in nothing.err) == (Exit.NOT_FOUND, True)


def test_the_versions_go_with_the_destroyed_workspace(worked: Office) -> None:
    assert worked.kubectl.get("secret", VERSIONS)["type"] == "provisioner.dev/state-versions"
    worked.submit_spec("end", a_build(COUNTED.format(3), transition="Delete"))
    worked.await_phase("end", "Completed")
    assert VERSIONS not in {each["metadata"]["name"] for each in worked.kubectl.list_all("secret")}

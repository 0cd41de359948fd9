"""`workspaces unlock` by users with and without the right, on a real API server."""

import json

from integration.cli.conftest import People
from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.cli.errors import Exit
from provisioner_operator.core.states.lock import HoldingRun, lock_id, lock_info, lock_lease, new_lock
from support.cluster.phases import bring_to
from support.manifests import Manifest
from support.test_namespace import ProductNamespace, a_job

BY_HAND = json.dumps({"ID": "2e1b", "Who": "joe@laptop", "Created": "today", "Operation": "OperationTypeApply"})


def lock(quiet: ProductNamespace, workspace: str, run: HoldingRun | None = None) -> str:
    """Lock the state of the workspace, by a run or by hand; returns the Lease's name."""
    info = BY_HAND if run is None else lock_info(run, "first", 0.0, "1.0")
    quiet.admin.create(dict(new_lock(workspace, "2e1b" if run is None else lock_id("first"), info)))
    return lock_lease(workspace)


def spec_of(quiet: ProductNamespace, name: str) -> Manifest:
    spec: Manifest = quiet.admin.get("lease", name).get("spec", {})
    return spec


def a_run_of(quiet: ProductNamespace, name: str) -> HoldingRun:
    job = quiet.admin.create(a_job(name, workspaceRef={"name": name}))
    return HoldingRun(name, job["metadata"]["uid"], "daemon", "its-process", "here")


def test_a_namespaces_admin_releases_a_lock_that_is_taken_by_hand(quiet: ProductNamespace, people: People) -> None:
    name = lock(quiet, "by-hand")
    planned = people.admin.run("workspaces", "unlock", "by-hand", "--dry-run")
    assert "by-hand: would be unlocked (dry run); joe@laptop held the lock since today" in planned.out
    assert spec_of(quiet, name)
    assert "by-hand: unlocked; joe@laptop held the lock" in people.admin.run("workspaces", "unlock", "by-hand").out
    assert not spec_of(quiet, name)
    again = people.admin.run("workspaces", "unlock", "by-hand", "never-built")
    assert again.out.count("its state is not locked") == 2


def test_nobody_releases_a_lock_without_the_right(quiet: ProductNamespace, people: People) -> None:
    name = lock(quiet, "kept")
    answer = people.submitter.attempt("workspaces", "unlock", "kept")
    assert answer.code == Exit.FORBIDDEN
    assert "ClusterRole provisioner-admin" in answer.err
    assert spec_of(quiet, name)["holderIdentity"] == "2e1b"


def test_who_may_write_leases_needs_the_verb_cancel_for_the_lock_of_a_run(
    quiet: ProductNamespace, people: People
) -> None:
    run = a_run_of(quiet, "ended")
    bring_to(Phase.FAILED, quiet.admin, "ended")
    name = lock(quiet, "ended", run)
    quiet.admin.run(
        "create", "role", "leases", "--verb=get,update,patch,delete", "--resource=leases.coordination.k8s.io"
    )
    quiet.admin.run("create", "rolebinding", "leases", "--role=leases", "--user=submitter")
    answer = people.submitter.attempt("workspaces", "unlock", "ended")
    assert answer.code == Exit.FORBIDDEN
    assert 'the verb "cancel"' in answer.err
    assert spec_of(quiet, name)
    people.admin.run("workspaces", "unlock", "ended")
    assert not spec_of(quiet, name)


def test_the_lock_of_a_job_that_runs_is_not_released(quiet: ProductNamespace, people: People) -> None:
    run = a_run_of(quiet, "running")
    bring_to(Phase.RUNNING, quiet.admin, "running")
    name = lock(quiet, "running", run)
    answer = people.admin.attempt("workspaces", "unlock", "running")
    assert answer.code == Exit.PRECONDITION
    assert "locked by job running, which is Running on daemon daemon" in answer.err
    assert spec_of(quiet, name)


def test_the_lock_of_a_run_that_its_daemon_still_reports_is_not_released(
    quiet: ProductNamespace, people: People
) -> None:
    run = HoldingRun("deleted", "uid-of-deleted", "reporting", "its-process", "here")
    quiet.a_daemon_without_process("reporting")
    listed = {"name": "deleted", "uid": "uid-of-deleted", "startedAt": "2026-01-01T00:00:00Z"}
    quiet.beat("reporting", state="Busy", instance="its-process", currentJobs=[listed])
    name = lock(quiet, "deleted", run)
    answer = people.admin.attempt("workspaces", "unlock", "deleted")
    assert answer.code == Exit.PRECONDITION
    assert "which daemon reporting still reports" in answer.err
    quiet.beat("reporting", state="Idle", instance="its-process", currentJobs=[])
    people.admin.run("workspaces", "unlock", "deleted")
    assert not spec_of(quiet, name)

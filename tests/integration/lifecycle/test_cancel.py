"""Cancellation in each phase of a job, and its results."""

import json

import pytest

from support.cluster.kubectl import KubectlError
from support.manifests import Manifest
from support.programs.ledger import await_death, is_alive
from support.programs.programs import Program
from support.test_namespace import ProductNamespace, condition


def _assigned(body: Manifest) -> bool:
    return "assignment" in body.get("status", {})


def test_a_pending_job_is_canceled_at_once(product: ProductNamespace) -> None:
    product.submit("pending", tags={"nobody": "has-it"})
    product.cancel("pending", cancelReason="not needed")
    job = product.jobs.until("pending", "Canceled")
    assert product.jobs.phases("pending") == ["Pending", "Canceled"]
    assert condition(job, "CancelRequested")["reason"] == "NeverStarted"
    assert condition(job, "Stalled")["status"] == "True"
    assert "not needed" in job["status"]["message"]
    assert "startedAt" not in job["status"]
    assert product.ledger.runs_of("pending") == []


def test_an_assigned_job_that_no_daemon_acknowledged_is_canceled_at_once(product: ProductNamespace) -> None:
    product.a_daemon_without_process("silent", tags={"only": "silent"})
    product.submit("assigned", tags={"only": "silent"})
    product.jobs.until("assigned", _assigned)
    product.cancel("assigned")
    job = product.jobs.until("assigned", "Canceled")
    assert condition(job, "CancelRequested")["reason"] == "NeverStarted"
    # Its slot is free again.
    product.submit("next", tags={"only": "silent"})
    product.jobs.until("next", _assigned)


def test_a_running_job_is_interrupted_and_ends_normally(product: ProductNamespace, worker: Program) -> None:
    assert worker.runs
    product.submit("running", seconds=300)
    run = product.ledger.await_run("running")
    product.cancel("running", cancelReason="wrong region")
    job = product.jobs.until("running", "Canceled")
    assert not is_alive(run.pid)
    assert product.ledger.the_run_of("running").code == 1  # the run handled the interrupt itself
    # Whether it took more than a second to stop depends on the machine.
    assert [each for each in product.jobs.phases("running") if each != "Canceling"] == [
        "Pending",
        "Running",
        "Canceled",
    ]
    assert job["status"]["reason"] == "Canceled"
    assert condition(job, "CancelRequested")["reason"] == "Stopped"
    assert "wrong region" in condition(job, "CancelRequested")["message"]
    # Events are written in order, so one about this job would exist before that of `after-running`.
    product.submit("after-running", tags={"nobody": "has-it"})
    product.await_events("after-running")
    assert product.events("running") == []
    archive = product.admin.get("configmap", job["status"]["log"]["configMap"])
    assert "interrupted" in archive["data"]["log"]


def test_a_run_that_ignores_the_interrupt_is_killed_after_the_grace(product: ProductNamespace) -> None:
    with product.daemon("impatient", tags={"grace": "short"}, grace=1):
        product.submit("stubborn", tags={"grace": "short"}, seconds=300, ignore_interrupt="true")
        run = product.ledger.await_run("stubborn")
        product.cancel("stubborn")
        job = product.jobs.until("stubborn", "Canceled")
    assert not is_alive(run.pid)
    assert "killed" in job["status"]["message"]
    assert product.ledger.the_run_of("stubborn").code is None


@pytest.mark.usefixtures("worker")
def test_force_kills_without_waiting(product: ProductNamespace) -> None:
    product.submit("forced", seconds=300, ignore_interrupt="true")
    run = product.ledger.await_run("forced")
    product.cancel("forced", cancelMode="Force")
    job = product.jobs.until("forced", "Canceled", seconds=30)  # the grace is twice as long
    assert not is_alive(run.pid)
    assert "killed" in job["status"]["message"]


@pytest.mark.usefixtures("worker")
def test_force_speeds_up_a_cancel_in_progress(product: ProductNamespace) -> None:
    product.submit("hastened", seconds=300, ignore_interrupt="true")
    run = product.ledger.await_run("hastened")
    product.cancel("hastened")
    product.jobs.until("hastened", "Canceling")
    assert is_alive(run.pid)
    product.admin.patch("pj", "hastened", {"spec": {"cancelMode": "Force"}})
    product.jobs.until("hastened", "Canceled", seconds=30)
    assert not is_alive(run.pid)


@pytest.mark.usefixtures("worker")
def test_a_cancel_after_the_end_is_refused(product: ProductNamespace) -> None:
    product.submit("done")
    before = product.jobs.until("done", "Completed")
    with pytest.raises(KubectlError, match="422"):
        product.cancel("done")
    after = product.admin.get("pj", "done")
    assert (after["spec"], after["status"]) == (before["spec"], before["status"])


@pytest.mark.usefixtures("worker")
def test_if_pending_cancels_only_a_pending_job(product: ProductNamespace) -> None:
    product.submit_held("busy")
    only_pending = [
        {"op": "test", "path": "/status/phase", "value": "Pending"},
        {"op": "add", "path": "/spec/cancel", "value": True},
    ]
    product.admin.refusal("patch", "pj", "busy", "--type=json", f"--patch={json.dumps(only_pending)}")
    product.ledger.release("busy")
    job = product.jobs.until("busy", "Completed")
    assert condition(job, "CancelRequested") == {}


@pytest.mark.usefixtures("worker")
def test_a_deleted_job_is_stopped_and_its_workspace_freed_when_the_run_is_over(product: ProductNamespace) -> None:
    product.submit("deleted", seconds=300, workspaceRef={"name": "shared"})
    run = product.ledger.await_run("deleted")
    product.submit("successor", workspaceRef={"name": "shared"})
    product.admin.run("delete", "pj", "deleted")
    product.jobs.until("successor", "Completed")
    await_death(run.pid)
    product.ledger.assert_no_overlap()

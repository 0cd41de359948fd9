"""A cancel in each phase of a job, and what it leaves behind."""

import json

import pytest

from support.manifests import Manifest
from support.programs.ledger import await_death, is_alive
from support.programs.programs import Program
from support.test_namespace import Site, condition


def _assigned(body: Manifest) -> bool:
    return "assignment" in body.get("status", {})


def test_a_pending_job_is_canceled_at_once(site: Site) -> None:
    site.submit("pending", tags={"nobody": "has-it"})
    site.cancel("pending", cancelReason="not needed")
    job = site.jobs.until("pending", "Canceled")
    assert site.jobs.phases("pending") == ["Pending", "Canceled"]
    assert condition(job, "CancelRequested")["reason"] == "NeverStarted"
    assert condition(job, "Stalled")["status"] == "True"
    assert "not needed" in job["status"]["message"]
    assert "startedAt" not in job["status"]
    assert site.ledger.runs_of("pending") == []
    events = site.await_events("pending", "Canceled")
    assert [event["type"] for event in events if event["reason"] == "Canceled"] == ["Normal"]


def test_an_assigned_job_that_no_daemon_acknowledged_is_canceled_at_once(site: Site) -> None:
    site.a_silent_daemon("silent", tags={"only": "silent"})
    site.submit("assigned", tags={"only": "silent"})
    site.jobs.until("assigned", _assigned)
    site.cancel("assigned")
    job = site.jobs.until("assigned", "Canceled")
    assert condition(job, "CancelRequested")["reason"] == "NeverStarted"
    # Its slot is free again.
    site.submit("next", tags={"only": "silent"})
    site.jobs.until("next", _assigned)


def test_a_running_job_is_interrupted_and_ends_in_order(site: Site, worker: Program) -> None:
    assert worker.runs
    site.submit("running", seconds=300)
    run = site.ledger.await_run("running")
    site.cancel("running", cancelReason="wrong region")
    job = site.jobs.until("running", "Canceled")
    assert not is_alive(run.pid)
    assert site.ledger.the_run_of("running").code == 1  # it ended by itself, in order
    assert site.jobs.phases("running") == ["Pending", "Running", "Canceling", "Canceled"]
    assert job["status"]["reason"] == "Canceled"
    assert condition(job, "CancelRequested")["reason"] == "Stopped"
    assert "wrong region" in condition(job, "CancelRequested")["message"]
    (event,) = site.await_events("running")
    assert (event["reason"], event["type"]) == ("Canceled", "Normal")
    archive = site.admin.get("configmap", job["status"]["log"]["configMap"])
    assert "interrupted" in archive["data"]["log"]


def test_a_run_that_ignores_the_interrupt_is_killed_after_the_grace(site: Site) -> None:
    with site.daemon("impatient", tags={"grace": "short"}, grace=1):
        site.submit("stubborn", tags={"grace": "short"}, seconds=300, ignore_interrupt="true")
        run = site.ledger.await_run("stubborn")
        site.cancel("stubborn")
        job = site.jobs.until("stubborn", "Canceled")
    assert not is_alive(run.pid)
    assert "killed" in job["status"]["message"]
    assert site.ledger.the_run_of("stubborn").code is None


@pytest.mark.usefixtures("worker")
def test_force_kills_without_waiting(site: Site) -> None:
    site.submit("forced", seconds=300, ignore_interrupt="true")
    run = site.ledger.await_run("forced")
    site.cancel("forced", cancelMode="Force")
    job = site.jobs.until("forced", "Canceled", seconds=30)  # the grace is twice as long
    assert not is_alive(run.pid)
    assert "killed" in job["status"]["message"]


@pytest.mark.usefixtures("worker")
def test_force_hastens_a_cancel_that_is_under_way(site: Site) -> None:
    site.submit("hastened", seconds=300, ignore_interrupt="true")
    run = site.ledger.await_run("hastened")
    site.cancel("hastened")
    site.jobs.until("hastened", "Canceling")
    assert is_alive(run.pid)
    site.admin.patch("pj", "hastened", {"spec": {"cancelMode": "Force"}})
    site.jobs.until("hastened", "Canceled", seconds=30)
    assert not is_alive(run.pid)


@pytest.mark.usefixtures("worker")
def test_a_cancel_after_the_end_changes_nothing(site: Site) -> None:
    site.submit("done")
    before = site.jobs.until("done", "Completed")
    site.cancel("done")
    # What would come of it comes before the end of a later job.
    site.submit("done-later")
    site.jobs.until("done-later", "Completed")
    assert site.admin.get("pj", "done")["status"] == before["status"]


@pytest.mark.usefixtures("worker")
def test_only_a_job_that_is_still_pending_is_canceled_where_that_is_asked(site: Site) -> None:
    site.submit_held("busy")
    only_pending = [
        {"op": "test", "path": "/status/phase", "value": "Pending"},
        {"op": "add", "path": "/spec/cancel", "value": True},
    ]
    site.admin.refusal("patch", "pj", "busy", "--type=json", f"--patch={json.dumps(only_pending)}")
    site.ledger.release("busy")
    job = site.jobs.until("busy", "Completed")
    assert condition(job, "CancelRequested") == {}


@pytest.mark.usefixtures("worker")
def test_a_deleted_job_is_stopped_and_its_workspace_freed_when_the_run_is_over(site: Site) -> None:
    site.submit("deleted", seconds=300, workspaceRef={"name": "shared"})
    run = site.ledger.await_run("deleted")
    site.submit("successor", workspaceRef={"name": "shared"})
    site.admin.run("delete", "pj", "deleted")
    site.jobs.until("successor", "Completed")
    await_death(run.pid)
    site.ledger.assert_no_overlap()

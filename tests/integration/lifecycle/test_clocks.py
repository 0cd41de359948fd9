"""Each clock of a job: it runs out when it should, stands still when it should, and what it ends is really over."""

from datetime import datetime

import pytest

from support.programs.ledger import await_death
from support.test_namespace import Site, condition


def test_a_job_that_nobody_takes_in_time_fails_with_what_it_waited_for(site: Site) -> None:
    site.submit("unwanted", tags={"nobody": "has-it"}, pendingTimeoutSeconds=8)
    job = site.jobs.until("unwanted", "Failed")
    assert job["status"]["reason"] == "PendingTimeout"
    assert "spec.pendingTimeoutSeconds" in job["status"]["message"]
    assert _seconds(job["metadata"]["creationTimestamp"], job["status"]["finishedAt"]) >= 8
    assert condition(job, "Stalled")["status"] == "True"
    assert sorted(event["reason"] for event in site.await_events("unwanted", "PendingTimeout")) == [
        "NoMatchingDaemon",
        "PendingTimeout",
    ]


def test_time_suspended_does_not_count_as_pending(site: Site) -> None:
    site.submit("held", suspend=True, pendingTimeoutSeconds=1, tags={"nobody": "has-it"})
    site.submit("measure", pendingTimeoutSeconds=3, tags={"nobody": "has-it"})
    held = site.jobs.until("held", lambda body: "suspendedAt" in body["status"])
    assert held["status"]["reason"] == "Suspended"
    site.jobs.until("measure", "Failed")  # three times as much time as the held one has
    assert site.admin.get("pj", "held")["status"]["phase"] == "Pending"
    site.admin.patch("pj", "held", {"spec": {"suspend": False}})
    resumed = site.jobs.until("held", lambda body: body["status"]["suspendedSeconds"] > 0)
    assert resumed["status"]["phase"] == "Pending"
    assert "suspendedAt" not in resumed["status"]
    job = site.jobs.until("held", "Failed")
    assert job["status"]["reason"] == "PendingTimeout"


@pytest.mark.usefixtures("worker")
def test_a_suspended_job_runs_once_it_is_resumed_and_holds_up_nobody(site: Site) -> None:
    site.submit("paused", suspend=True, workspaceRef={"name": "shared"})
    site.submit("overtaking", workspaceRef={"name": "shared"})
    site.jobs.until("overtaking", "Completed")
    assert site.ledger.runs_of("paused") == []
    site.admin.patch("pj", "paused", {"spec": {"suspend": False}})
    site.jobs.until("paused", "Completed")


def test_a_job_that_runs_too_long_fails_and_its_run_is_really_over_before_the_next(site: Site) -> None:
    with site.daemon("timed", tags={"clock": "active"}, capacity=2, grace=1):
        spec = {"tags": {"clock": "active"}, "workspaceRef": {"name": "overdue"}}
        site.submit("overdue", **spec, activeDeadlineSeconds=6, seconds=300, ignore_interrupt="true")
        run = site.ledger.await_run("overdue")
        site.submit("successor", **spec)
        job = site.jobs.until("overdue", "Failed")
        site.jobs.until("successor", "Completed")
        await_death(run.pid)
    assert job["status"]["reason"] == "DeadlineExceeded"
    assert "spec.activeDeadlineSeconds" in job["status"]["message"]
    assert _seconds(job["status"]["startedAt"], job["status"]["finishedAt"]) >= 6
    site.ledger.assert_no_overlap()
    (event,) = site.await_events("overdue")
    assert event["reason"] == "DeadlineExceeded"


@pytest.mark.usefixtures("worker")
def test_a_run_that_falls_silent_is_stopped_and_one_that_talks_is_not(site: Site) -> None:
    site.submit("talking", seconds=8, lines=80, stallTimeoutSeconds=6)
    site.submit("silent", seconds=300, stallTimeoutSeconds=6)
    job = site.jobs.until("silent", "Failed")
    assert job["status"]["reason"] == "Stalled"
    assert "spec.stallTimeoutSeconds" in job["status"]["message"]
    await_death(site.ledger.the_run_of("silent").pid)
    site.jobs.until("talking", "Completed")
    (event,) = site.await_events("silent")
    assert event["reason"] == "Stalled"


def _seconds(begin: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds()

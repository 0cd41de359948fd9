"""Timeouts of a job: each expires when it should, pauses when it should, and really ends the run."""

from datetime import datetime

import pytest

from support.programs.ledger import await_death
from support.test_namespace import ProductNamespace, condition


def test_a_job_that_is_pending_for_too_long_fails_with_its_pending_reason(product: ProductNamespace) -> None:
    product.submit("unwanted", tags={"nobody": "has-it"}, pendingTimeoutSeconds=8)
    job = product.jobs.until("unwanted", "Failed")
    assert job["status"]["reason"] == "PendingTimeout"
    assert "spec.pendingTimeoutSeconds" in job["status"]["message"]
    assert _seconds(job["metadata"]["creationTimestamp"], job["status"]["finishedAt"]) >= 8
    assert condition(job, "Stalled")["status"] == "True"
    assert sorted(event["reason"] for event in product.await_events("unwanted", "PendingTimeout")) == [
        "NoMatchingDaemon",
        "PendingTimeout",
    ]


def test_time_suspended_does_not_count_as_pending(product: ProductNamespace) -> None:
    product.submit("held", suspend=True, pendingTimeoutSeconds=1, tags={"nobody": "has-it"})
    product.submit("measure", pendingTimeoutSeconds=3, tags={"nobody": "has-it"})
    held = product.jobs.until("held", lambda body: "suspendedAt" in body["status"])
    assert held["status"]["reason"] == "Suspended"
    product.jobs.until("measure", "Failed")  # three times the held job's timeout
    assert product.admin.get("pj", "held")["status"]["phase"] == "Pending"
    product.admin.patch("pj", "held", {"spec": {"suspend": False}})
    resumed = product.jobs.until("held", lambda body: body["status"]["suspendedSeconds"] > 0)
    assert resumed["status"]["phase"] == "Pending"
    assert "suspendedAt" not in resumed["status"]
    job = product.jobs.until("held", "Failed")
    assert job["status"]["reason"] == "PendingTimeout"


@pytest.mark.usefixtures("worker")
def test_a_suspended_job_runs_once_it_is_resumed_and_delays_no_other(product: ProductNamespace) -> None:
    product.submit("paused", suspend=True, workspaceRef={"name": "shared"})
    product.submit("overtaking", workspaceRef={"name": "shared"})
    product.jobs.until("overtaking", "Completed")
    assert product.ledger.runs_of("paused") == []
    product.admin.patch("pj", "paused", {"spec": {"suspend": False}})
    product.jobs.until("paused", "Completed")


def test_a_job_that_runs_too_long_fails_and_its_run_ends_before_the_next(product: ProductNamespace) -> None:
    with product.daemon("timed", tags={"clock": "active"}, capacity=2, grace=1):
        spec = {"tags": {"clock": "active"}, "workspaceRef": {"name": "overdue"}}
        product.submit("overdue", **spec, activeDeadlineSeconds=6, seconds=300, ignore_interrupt="true")
        run = product.ledger.await_run("overdue")
        product.submit("successor", **spec)
        job = product.jobs.until("overdue", "Failed")
        product.jobs.until("successor", "Completed")
        await_death(run.pid)
    assert job["status"]["reason"] == "DeadlineExceeded"
    assert "spec.activeDeadlineSeconds" in job["status"]["message"]
    assert _seconds(job["status"]["startedAt"], job["status"]["finishedAt"]) >= 6
    product.ledger.assert_no_overlap()
    (event,) = product.await_events("overdue")
    assert event["reason"] == "DeadlineExceeded"


@pytest.mark.usefixtures("worker")
def test_a_run_without_output_is_stopped_and_one_with_output_is_not(product: ProductNamespace) -> None:
    product.submit("talking", seconds=8, lines=80, stallTimeoutSeconds=6)
    product.submit("silent", seconds=300, stallTimeoutSeconds=6)
    job = product.jobs.until("silent", "Failed")
    assert job["status"]["reason"] == "Stalled"
    assert "spec.stallTimeoutSeconds" in job["status"]["message"]
    await_death(product.ledger.the_run_of("silent").pid)
    product.jobs.until("talking", "Completed")
    (event,) = product.await_events("silent")
    assert event["reason"] == "Stalled"


def _seconds(begin: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds()

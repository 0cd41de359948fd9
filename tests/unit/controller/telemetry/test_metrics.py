"""Metrics count each job once and show the state of the cluster, on the leader alone."""

from dataclasses import replace

import pytest

from provisioner_operator.api.v1alpha1.enums import CancelMode, ConditionStatus, Phase
from provisioner_operator.controller import clock
from provisioner_operator.core.model.records import Condition, Job
from provisioner_operator.core.workspaces.records import WorkspaceStatus
from support.builders.controller import ControllerParts
from support.builders.core import NOON, a_daemon, a_job, a_running_job, an_ended_job, at
from support.builders.workspaces import a_workspace

KIND = {"type": "WorkspaceBuild", "provisioner": "terraform"}


@pytest.fixture(autouse=True)
def a_minute_after_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "read", lambda: at(60))


def test_a_start_is_counted_with_its_wait_and_an_end_with_its_run() -> None:
    parts = ControllerParts()
    running = a_running_job(started=20)
    parts.metrics.jobs.changed(a_job(), running)
    parts.metrics.jobs.changed(running, running)
    assert parts.metric("provisioner_job_wait_seconds_sum", **KIND) == 20
    assert parts.metric("provisioner_job_wait_seconds_count", **KIND) == 1
    assert parts.metric("provisioner_jobs_ended_total", phase="Completed", reason="Completed") == 0
    parts.metrics.jobs.changed(running, an_ended_job(started=20, finished=50, reason="Completed"))
    assert parts.metric("provisioner_job_run_seconds_sum", phase="Completed", **KIND) == 30
    assert parts.metric("provisioner_jobs_ended_total", phase="Completed", reason="Completed") == 1
    assert parts.metric("provisioner_job_wait_seconds_count", **KIND) == 1


def test_a_clock_that_was_set_back_makes_no_duration_negative() -> None:
    parts = ControllerParts()
    parts.metrics.jobs.changed(a_job(), an_ended_job(started=-20, finished=-50))
    assert parts.metric("provisioner_job_wait_seconds_sum", **KIND) == 0
    assert parts.metric("provisioner_job_run_seconds_sum", phase="Completed", **KIND) == 0


def test_a_job_that_never_ran_has_no_run() -> None:
    parts = ControllerParts()
    parts.metrics.jobs.changed(a_job(), a_job(phase=Phase.FAILED, reason="PendingTimeout", finished=NOON))
    assert parts.metric("provisioner_job_run_seconds_count", phase="Failed", **KIND) == 0
    assert parts.metric("provisioner_job_timeouts_total", reason="PendingTimeout") == 1


@pytest.mark.parametrize(
    ("reason", "count"),
    [("PendingTimeout", 1), ("DeadlineExceeded", 1), ("Stalled", 1), ("DaemonLost", 1), ("RunFailed", 0)],
)
def test_ends_by_a_timeout_are_counted_by_themselves(reason: str, count: int) -> None:
    parts = ControllerParts()
    parts.metrics.jobs.changed(a_running_job(), an_ended_job(phase=Phase.FAILED, reason=reason))
    assert parts.metric("provisioner_job_timeouts_total", reason=reason) == count


def test_what_a_daemon_writes_as_a_reason_makes_no_time_series() -> None:
    parts = ControllerParts()
    for reason in ("invented", "Error: cycle", None):
        ended = an_ended_job(phase=Phase.FAILED, reason=reason, cancel=True)
        invented = Condition("CancelRequested", ConditionStatus.TRUE, "invented", "", NOON)
        parts.metrics.jobs.changed(a_running_job(), replace(ended, conditions=(invented,)))
        parts.jobs.observe_job(a_job(f"pending-{reason}", reason=reason), at(0))

    assert parts.metric("provisioner_jobs_ended_total", phase="Failed", reason="Unknown") == 3
    assert parts.metric("provisioner_job_cancels_total", result="Unknown") == 3
    assert parts.metric("provisioner_jobs_pending", reason="Unknown") == 2
    labels = {
        value
        for family in parts.metrics.registry.collect()
        for each in family.samples
        for value in each.labels.values()
    }
    assert not labels & {"invented", "Error: cycle"}


@pytest.mark.parametrize(("conditions", "result"), [(("Stopped",), "Stopped"), ((), "Unknown")])
def test_canceled_jobs_are_counted_by_the_result_of_the_cancel(conditions: tuple[str, ...], result: str) -> None:
    def canceled(*, cancel: bool) -> Job:
        return an_ended_job(
            phase=Phase.CANCELED,
            cancel=cancel,
            cancel_mode=CancelMode.GRACEFUL,
            conditions=tuple(Condition("CancelRequested", ConditionStatus.TRUE, each, "", NOON) for each in conditions),
        )

    parts = ControllerParts()
    parts.metrics.jobs.changed(a_running_job(), canceled(cancel=True))
    parts.metrics.jobs.changed(a_running_job(), canceled(cancel=False))
    assert parts.metric("provisioner_job_cancels_total", result=result) == 1


def test_the_state_of_the_cluster_is_shown_by_the_leader_alone() -> None:
    parts = ControllerParts()
    parts.jobs.observe_job(a_job("one", tags={"gpu": "yes"}, reason="NoMatchingDaemon"), at(0))
    parts.jobs.observe_daemon(a_daemon("d"), at(0))
    list(parts.jobs.decide(at(0)))
    queue = {"namespace": "acme", "provisioner": "terraform", "tags": "gpu=yes"}
    shown = {
        "leader": parts.metric("provisioner_leader"),
        "pending": parts.metric("provisioner_jobs", phase="Pending"),
        "reason": parts.metric("provisioner_jobs_pending", reason="NoMatchingDaemon"),
        "daemons": sum(parts.metric("provisioner_daemons", state=state) for state in ("Idle", "Busy", "Offline")),
        "depth": parts.metric("provisioner_queue_depth", **queue),
        "age": parts.metric("provisioner_queue_oldest_seconds", **queue),
    }
    assert shown == {"leader": 1, "pending": 1, "reason": 1, "daemons": 1, "depth": 1, "age": 60}
    parts.leading = False
    assert parts.metric("provisioner_leader") == 0
    assert parts.metrics.registry.get_sample_value("provisioner_jobs", {"phase": "Pending"}) is None


def test_drifted_workspaces_are_counted_in_namespaces_where_any_is_checked() -> None:
    parts = ControllerParts()
    for number, (namespace, status) in enumerate(
        [
            ("acme", ConditionStatus.TRUE),
            ("acme", ConditionStatus.TRUE),
            ("acme", ConditionStatus.FALSE),
            ("other", ConditionStatus.UNKNOWN),
            ("third", None),
        ]
    ):
        conditions = () if status is None else (Condition("Drifted", status, "R", "", NOON),)
        workspace = a_workspace(uid=f"{number}", name=f"{number}", namespace=namespace)
        parts.workspaces.observe_workspace(replace(workspace, status=WorkspaceStatus(conditions=conditions)))

    drifted = "provisioner_workspaces_drifted"
    assert (parts.metric(drifted, namespace="acme"), parts.metric(drifted, namespace="other")) == (2, 0)
    assert parts.metrics.registry.get_sample_value(drifted, {"namespace": "third"}) is None


def test_namespaces_whose_builds_wait_for_a_daemons_reports_are_counted() -> None:
    parts = ControllerParts()
    for name in ("one", "two"):
        parts.jobs.observe_daemon(a_daemon(name), at(0))
    parts.jobs.observe_daemon(a_daemon("other", namespace="other"), at(0))
    assert parts.metric("provisioner_held_namespaces") == 0
    parts.jobs.leadership_gained(at(0))
    assert parts.metric("provisioner_held_namespaces") == 2


def test_each_pending_job_has_a_reason_among_the_metrics() -> None:
    parts = ControllerParts()
    parts.jobs.observe_job(a_job("stuck", reason="NoMatchingDaemon"), at(0))
    parts.jobs.observe_job(a_job("new"), at(0))
    parts.jobs.observe_job(a_running_job("running"), at(0))
    assert parts.metric("provisioner_jobs", phase="Pending") == 2
    assert parts.metric("provisioner_jobs_pending", reason="NoMatchingDaemon") == 1
    assert parts.metric("provisioner_jobs_pending", reason="Unexplained") == 1


def test_odd_tags_cannot_flood_the_monitoring() -> None:
    parts = ControllerParts()
    for number in range(150):
        parts.jobs.observe_job(a_job(f"job-{number}", tags={"odd": str(number)}), at(0))
    list(parts.jobs.decide(at(0)))
    queues = [metric for metric in parts.metrics.registry.collect() if metric.name == "provisioner_queue_depth"]
    assert len(queues[0].samples) == 100

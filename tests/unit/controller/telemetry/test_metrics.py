"""Metrics count each job once and show the state of the cluster, on the leader alone."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from prometheus_client.samples import Sample

from provisioner_operator.api.v1alpha1.enums import CancelMode, ConditionStatus, EndReason, Phase
from provisioner_operator.controller import clock
from provisioner_operator.core.jobs.ended_run import EndedRun
from provisioner_operator.core.jobs.outcome import StageTiming
from provisioner_operator.core.model.records import Condition, Job, ReportedState
from provisioner_operator.core.pools.records import PoolStatus
from provisioner_operator.core.scheduling.queueing.policy import Limit
from provisioner_operator.core.scheduling.queueing.records import Queue
from provisioner_operator.core.workspaces.records import TemplateStatus, WorkspaceStatus
from provisioner_operator.daemon.echo.provisioner import STAGE as ECHO
from provisioner_operator.daemon.git.stage import FETCH
from provisioner_operator.daemon.terraform.inspection.stage import INSPECT
from provisioner_operator.daemon.terraform.stages import APPLY, DESTROY, INIT, PLAN, VALIDATE
from support.builders.controller import ControllerParts
from support.builders.core import NOON, a_daemon, a_job, a_running_job, an_ended_job, at
from support.builders.pools import a_pool, scaling
from support.builders.queues import a_policy
from support.builders.workspaces import a_template, a_workspace

KIND = {"type": "WorkspaceBuild", "provisioner": "terraform"}
NO_TEMPLATE = {"namespace": "acme", "template": ""}


def samples(parts: ControllerParts, name: str) -> Iterator[Sample]:
    """Return all samples of a metric."""
    return (each for family in parts.metrics.registry.collect() if family.name == name for each in family.samples)


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
    assert parts.metric("provisioner_jobs_ended_total", phase="Completed", reason="Completed", **NO_TEMPLATE) == 0
    parts.metrics.jobs.changed(running, an_ended_job(started=20, finished=50, reason="Completed"))
    assert parts.metric("provisioner_job_run_seconds_sum", phase="Completed", **KIND, **NO_TEMPLATE) == 30
    assert parts.metric("provisioner_jobs_ended_total", phase="Completed", reason="Completed", **NO_TEMPLATE) == 1
    assert parts.metric("provisioner_job_wait_seconds_count", **KIND) == 1


def test_a_clock_that_was_set_back_makes_no_duration_negative() -> None:
    parts = ControllerParts()
    parts.metrics.jobs.changed(a_job(), an_ended_job(started=-20, finished=-50))
    assert parts.metric("provisioner_job_wait_seconds_sum", **KIND) == 0
    assert parts.metric("provisioner_job_run_seconds_sum", phase="Completed", **KIND, **NO_TEMPLATE) == 0


def test_a_job_that_never_ran_has_no_run() -> None:
    parts = ControllerParts()
    parts.metrics.jobs.changed(a_job(), a_job(phase=Phase.FAILED, reason="PendingTimeout", finished=NOON))
    assert parts.metric("provisioner_job_run_seconds_count", phase="Failed", **KIND, **NO_TEMPLATE) == 0
    assert parts.metric("provisioner_job_failures_total", reason="PendingTimeout") == 1


def test_failures_are_counted_by_reason() -> None:
    parts = ControllerParts()
    for reason in ("DaemonLost", "DaemonLost", "StateLocked"):
        parts.metrics.jobs.changed(a_running_job(), an_ended_job(phase=Phase.FAILED, reason=reason))
    parts.metrics.jobs.changed(a_running_job(), an_ended_job(reason="Completed"))
    counted = {
        each.labels["reason"]: each.value for each in samples(parts, "provisioner_job_failures") if each.value > 0
    }
    assert counted == {"DaemonLost": 2, "StateLocked": 1}


def test_every_reason_of_a_failure_is_there_before_it_first_occurs() -> None:
    parts = ControllerParts()
    assert {each.labels["reason"] for each in samples(parts, "provisioner_job_failures")} == {
        *EndReason,
        "Unknown",
    } - {"Completed", "Canceled"}
    assert {each.labels["kind"] for each in samples(parts, "provisioner_unparseable_objects")} >= {"Pod", "Workspace"}


def test_the_time_to_a_start_counts_from_when_only_a_daemon_was_missing() -> None:
    parts = ControllerParts()
    where = {"namespace": "acme", "provisioner": "terraform"}
    parts.metrics.jobs.changed(a_job(), a_running_job(started=90), claimable=NOON + 50)
    assert parts.metric("provisioner_job_dispatch_seconds_sum", **where) == 40
    parts.metrics.jobs.changed(a_job(), a_running_job(started=90), claimable=NOON + 100)
    parts.metrics.jobs.changed(a_job(), a_running_job(started=7))
    assert parts.metric("provisioner_job_dispatch_seconds_sum", **where) == 47
    assert parts.metric("provisioner_job_dispatch_seconds_count", **where) == 3


def test_an_end_is_counted_by_template_and_by_stage() -> None:
    parts = ControllerParts()
    cut_off = StageTiming("apply", NOON + 12)
    stages = (StageTiming("init", NOON, NOON + 5), StageTiming("invented", NOON + 5, NOON + 12), cut_off)
    run = EndedRun("docker", stages)
    parts.metrics.jobs.changed(a_running_job(), an_ended_job(finished=20, reason="Completed"), ended=run)
    pair = {"namespace": "acme", "template": "docker"}
    assert parts.metric("provisioner_jobs_ended_total", phase="Completed", reason="Completed", **pair) == 1
    assert parts.metric("provisioner_job_run_seconds_sum", phase="Completed", **KIND, **pair) == 20
    measured = {
        each.labels["stage"]: each.value
        for each in samples(parts, "provisioner_job_stage_seconds")
        if each.name.endswith("_sum")
    }
    assert measured == {"init": 5, "Unknown": 7}


@pytest.mark.parametrize("stage", [FETCH, INIT, VALIDATE, INSPECT, PLAN, APPLY, DESTROY, ECHO])
def test_every_stage_that_a_daemon_runs_is_measured_by_its_name(stage: str) -> None:
    parts = ControllerParts()
    run = EndedRun(stages=(StageTiming(stage, NOON, NOON + 5),))
    parts.metrics.jobs.changed(a_running_job(), an_ended_job(), ended=run)
    assert parts.metric("provisioner_job_stage_seconds_count", stage=stage) == 1


def test_invented_namespaces_and_templates_cannot_flood_the_monitoring() -> None:
    parts = ControllerParts()
    for number in range(300):
        name = f"n{number}"
        running = a_running_job(namespace=name)
        parts.metrics.jobs.changed(a_job(namespace=name), running)
        parts.metrics.jobs.changed(running, an_ended_job(namespace=name), ended=EndedRun(name))
    assert len(list(samples(parts, "provisioner_jobs_ended"))) == 201
    starts = [each for each in samples(parts, "provisioner_job_dispatch_seconds") if each.name.endswith("_count")]
    assert len(starts) == 201
    assert parts.metric("provisioner_job_dispatch_seconds_count", namespace="other", provisioner="terraform") == 100


def test_a_pair_that_becomes_frequent_replaces_the_series_of_a_rare_one() -> None:
    parts = ControllerParts()
    for number in range(200):
        parts.metrics.jobs.changed(a_running_job(), an_ended_job(), ended=EndedRun(f"t{number}"))
    for _ in range(5):
        parts.metrics.jobs.changed(a_running_job(), an_ended_job(), ended=EndedRun("new"))
    shown = {each.labels["template"] for each in samples(parts, "provisioner_jobs_ended")}
    assert len(shown) == 201
    assert {"new", "other"} < shown
    assert {each.labels["template"] for each in samples(parts, "provisioner_job_run_seconds")} == shown


def test_what_a_daemon_writes_as_a_reason_makes_no_time_series() -> None:
    parts = ControllerParts()
    for reason in ("invented", "Error: cycle", None):
        ended = an_ended_job(phase=Phase.FAILED, reason=reason, cancel=True)
        invented = Condition("CancelRequested", ConditionStatus.TRUE, "invented", "", NOON)
        parts.metrics.jobs.changed(a_running_job(), replace(ended, conditions=(invented,)))
        parts.jobs.observe_job(a_job(f"pending-{reason}", reason=reason), at(0))

    assert parts.metric("provisioner_jobs_ended_total", phase="Failed", reason="Unknown", **NO_TEMPLATE) == 3
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


def test_the_longest_wait_of_a_group_is_measured_with_its_ratio_to_the_bound() -> None:
    parts = ControllerParts()
    parts.jobs.observe_queue(Queue("acme", "default", "uid", 1, 1, a_policy()), at(0))
    parts.jobs.observe_queue(Queue("other", "default", "uid-2", 1, 1, a_policy(Limit("all", 1))), at(0))
    parts.jobs.observe_job(a_running_job("anns", initiator="ann"), at(0))
    parts.jobs.observe_job(a_job("bobs", initiator="bob", created=30), at(30))
    list(parts.jobs.decide(at(30)))
    assert parts.metric("provisioner_group_wait_seconds", namespace="acme") == 30
    # Ann's run has lasted a minute; the slot is Bob's after two such runs at the latest.
    assert parts.metric("provisioner_fairness_bound_ratio", namespace="acme") == 30 / 120
    assert parts.metrics.registry.get_sample_value("provisioner_group_wait_seconds", {"namespace": "other"}) is None


def test_a_queue_names_the_pools_whose_daemons_may_run_its_jobs() -> None:
    parts = ControllerParts()
    parts.jobs.observe_job(a_job("one", tags={"gpu": "yes"}), at(0))
    parts.jobs.observe_job(a_job("two", tags={"gpu": "no"}), at(0))
    list(parts.jobs.decide(at(0)))
    parts.pools.observe_pool(a_pool("right", tags={"gpu": "yes", "os": "linux"}), at(0))
    parts.pools.observe_pool(a_pool("other-tags", tags={"os": "linux"}), at(0))
    parts.pools.observe_pool(a_pool("going", tags={"gpu": "yes"}, deleting=True), at(0))

    found = list(samples(parts, "provisioner_queue_pool"))

    labels = {"namespace": "acme", "provisioner": "terraform", "tags": "gpu=yes", "pool": "right"}
    assert [(each.labels, each.value) for each in found] == [(labels, 1)]


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


def a_condition(type_: str, status: ConditionStatus = ConditionStatus.TRUE) -> Condition:
    return Condition(type_, status, "Because", "", NOON)


def test_daemons_whose_runs_fail_at_once_and_states_that_only_they_have_are_counted() -> None:
    parts = ControllerParts()
    unhealthy = (a_condition("Healthy", ConditionStatus.FALSE),)
    states = (ReportedState("dev", "dev-1"), ReportedState("ml", "ml-1"))
    parts.jobs.observe_daemon(a_daemon("good"), at(0))
    parts.jobs.observe_daemon(a_daemon("bad", conditions=unhealthy, unsaved=states), at(0))
    assert parts.metric("provisioner_daemons_failing") == 1
    assert parts.metric("provisioner_unsaved_states") == 2


@pytest.mark.parametrize(("fields", "most"), [({"autoscaling": scaling(7)}, 7), ({"replicas": 3}, 3)])
def test_a_pool_shows_its_bounds_and_conditions(fields: dict[str, Any], most: int) -> None:
    parts = ControllerParts()
    conditions = (a_condition("Ready"), a_condition("Stalled", ConditionStatus.FALSE))
    parts.pools.observe_pool(a_pool(status=PoolStatus(desired_replicas=2, conditions=conditions), **fields), at(0))
    pool = {"namespace": "acme", "pool": "pool"}
    assert parts.metric("provisioner_pool_daemons", which="max", **pool) == most
    assert parts.metric("provisioner_pool_daemons", which="wanted", **pool) == 2
    found = {each.labels["type"]: each.value for each in samples(parts, "provisioner_pool_condition")}
    assert found == {"Ready": 1, "Stalled": 0, "Reconciling": 0}


def test_templates_are_counted_by_the_worst_condition_that_is_true() -> None:
    parts = ControllerParts()
    stalled, ready, working = (a_condition(type_) for type_ in ("Stalled", "Ready", "Reconciling"))
    for number, conditions in enumerate([(ready,), (ready, stalled), (working,), ()]):
        template = a_template(name=f"t{number}", uid=f"u{number}", status=TemplateStatus(conditions=conditions))
        parts.workspaces.observe_template(template)
    found = {each.labels["state"]: each.value for each in samples(parts, "provisioner_templates")}
    assert found == {"Ready": 1, "Stalled": 1, "Reconciling": 2}

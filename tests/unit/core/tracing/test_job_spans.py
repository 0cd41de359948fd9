"""Spans of ended jobs: one tree for each way to end."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner_operator.api.v1alpha1.enums import (
    CancelReason,
    ConditionStatus,
    EndReason,
    JobCondition,
    Phase,
    Transition,
)
from provisioner_operator.core.jobs.ended_run import EndedRun
from provisioner_operator.core.jobs.outcome import StageTiming
from provisioner_operator.core.model.records import Condition, Job
from provisioner_operator.core.tracing.context import stage_context
from provisioner_operator.core.tracing.job_spans import Span, job_spans
from support.builders.core import NOON, a_job, an_assigned_job, an_ended_job

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
CUT_OFF = EndedRun("docker", (StageTiming("init", NOON + 3, NOON + 5), StageTiming("apply", NOON + 5)))
CANARY = "canary-7f3a"


def _stages(*names: str) -> tuple[StageTiming, ...]:
    return tuple(StageTiming(name, NOON + 3 + at, NOON + 4 + at) for at, name in enumerate(names))


def _ran(reason: EndReason, phase: Phase = Phase.FAILED) -> Job:
    """A job that waited for 1 s, was taken after another, and ended 10 s after its creation."""
    job = an_ended_job(phase=phase, reason=reason, started=1, finished=10)
    return replace(job, started=NOON + 2)


def _never_ran(reason: EndReason, phase: Phase = Phase.FAILED) -> Job:
    return a_job(phase=phase, reason=reason, finished=NOON + 10)


ENDS: list[tuple[Job, EndedRun, str, str | None, list[tuple[str, str]]]] = [
    (
        _ran(EndReason.COMPLETED, Phase.COMPLETED),
        EndedRun("docker", _stages("fetch", "init", "plan", "apply")),
        "success",
        None,
        [(step, "success") for step in ("queue", "assign", "fetch", "init", "plan", "apply")],
    ),
    (
        _ran(EndReason.RUN_FAILED),
        EndedRun("docker", _stages("init", "plan")),
        "failure",
        "RunFailed",
        [("queue", "success"), ("assign", "success"), ("init", "success"), ("plan", "failure")],
    ),
    *(
        (
            _ran(reason, Phase.CANCELED if reason is EndReason.CANCELED else Phase.FAILED),
            CUT_OFF,
            result,
            None if result == "cancellation" else reason.value,
            [("queue", "success"), ("assign", "success"), ("init", "success"), ("apply", result)],
        )
        for reason, result in {
            EndReason.CANCELED: "cancellation",
            EndReason.DELETED: "cancellation",
            EndReason.DEADLINE_EXCEEDED: "timeout",
            EndReason.STALLED: "timeout",
            EndReason.DAEMON_SHUTDOWN: "error",
            EndReason.STATE_LOCKED: "error",
            EndReason.STATE_UNSAVED: "error",
            EndReason.PLAN_STALE: "error",
        }.items()
    ),
    *(
        (_ran(reason), EndedRun("docker"), "error", reason.value, [("queue", "success"), ("assign", "success")])
        for reason in (
            EndReason.DAEMON_LOST,
            EndReason.SOURCE_UNAVAILABLE,
            EndReason.VARIABLE_UNAVAILABLE,
            EndReason.PLAN_UNAVAILABLE,
        )
    ),
    *(
        (_never_ran(reason), EndedRun("docker"), result, reason.value, [("queue", result)])
        for reason, result in {
            EndReason.PENDING_TIMEOUT: "timeout",
            EndReason.NOT_WORKSPACE_OWNER: "error",
            EndReason.APPROVAL_REQUIRED: "error",
        }.items()
    ),
]


@pytest.mark.parametrize(("job", "run", "result", "error", "steps"), ENDS, ids=lambda each: getattr(each, "reason", ""))
def test_each_end_is_one_tree(
    job: Job, run: EndedRun, result: str, error: str | None, steps: list[tuple[str, str]]
) -> None:
    *children, root = job_spans(job, run)
    assert (root.name, root.parent, root.is_root) == ("RUN docker", None, True)
    assert (root.started, root.finished) == (NOON, NOON + 10)
    assert root.attributes["cicd.pipeline.result"] == result
    assert root.attributes.get("error.type") == error
    assert [(each.name, each.attributes["cicd.pipeline.task.run.result"]) for each in children] == steps
    assert {each.parent for each in children} == {root.context}
    assert {each.context.trace_id for each in children} == {root.context.trace_id}
    failed = [each.attributes["error.type"] for each in children if "error.type" in each.attributes]
    assert failed in ([], [error])
    assert all(NOON <= each.started <= each.finished <= root.finished for each in children)


def test_the_table_has_each_end_reason() -> None:
    assert {job.reason for job, *_ in ENDS} == set(EndReason)


def test_a_step_lasts_until_the_next_and_the_last_one_that_was_cut_off_until_the_end() -> None:
    steps = {
        each.name: (each.started - NOON, each.finished - NOON)
        for each in job_spans(_ran(EndReason.CANCELED), CUT_OFF)[:-1]
    }
    assert steps == {"queue": (0, 1), "assign": (1, 2), "init": (3, 5), "apply": (5, 10)}


def test_a_job_that_ends_before_its_daemon_takes_it_has_an_assignment_without_run() -> None:
    job = an_assigned_job(phase=Phase.CANCELED, reason=EndReason.CANCELED, assigned=1, finished=NOON + 4)
    steps = job_spans(job, EndedRun())[:-1]
    results = [(each.name, each.finished - each.started, each.result) for each in steps]
    assert results == [("queue", 1, "success"), ("assign", 3, "cancellation")]


def test_a_job_is_described_by_its_names_and_its_daemon() -> None:
    job = replace(_ran(EndReason.COMPLETED, Phase.COMPLETED), transition=Transition.STOP, workspace="dev")
    queue, assign, root = job_spans(replace(job, suspended_seconds=7), EndedRun("docker"))
    common = {"cicd.pipeline.name": "docker", "cicd.pipeline.run.id": "uid-of-job", "k8s.namespace.name": "acme"}
    worker = {"cicd.worker.name": "daemon", "cicd.worker.id": "uid-of-daemon"}
    assert root.attributes == {
        **common,
        **worker,
        "cicd.pipeline.action.name": "RUN",
        "cicd.pipeline.result": "success",
        "provisioner.job.name": "job",
        "provisioner.job.type": "WorkspaceBuild",
        "provisioner.job.reason": "Completed",
        "provisioner.job.transition": "Stop",
        "provisioner.workspace.name": "dev",
    }
    task = {"cicd.pipeline.task.run.result": "success"}
    assert queue.attributes == {
        **common,
        **task,
        "cicd.pipeline.task.name": "queue",
        "cicd.pipeline.task.run.id": "uid-of-job/queue",
        "provisioner.queue.suspended_seconds": 7,
    }
    assert assign.attributes == {
        **common,
        **task,
        **worker,
        "cicd.pipeline.task.name": "assign",
        "cicd.pipeline.task.run.id": "uid-of-job/assign",
    }


def test_a_job_without_a_template_is_named_by_its_type() -> None:
    (*_, root) = job_spans(_never_ran(EndReason.PENDING_TIMEOUT), EndedRun())
    assert (root.name, root.attributes["cicd.pipeline.name"]) == ("RUN WorkspaceBuild", "WorkspaceBuild")


def test_a_cancel_is_an_event_of_the_job() -> None:
    requested = Condition(JobCondition.CANCEL_REQUESTED, ConditionStatus.TRUE, CancelReason.STOPPED, CANARY, NOON + 6)
    job = replace(_ran(EndReason.CANCELED, Phase.CANCELED), conditions=(requested,))
    (*_, root) = job_spans(job, CUT_OFF)
    assert [(each.name, each.time) for each in root.events] == [("cancel requested", NOON + 6)]


def test_the_job_is_a_child_of_the_span_that_asked_for_it() -> None:
    *children, root = job_spans(_ran(EndReason.CANCELED), replace(CUT_OFF, traceparent=PARENT))
    assert root.parent is not None
    assert root.parent.traceparent == PARENT
    assert {each.context.trace_id for each in (root, *children)} == {root.parent.trace_id}
    # The daemon told the stage's programs the same.
    assert children[-1].context == stage_context("uid-of-job", root.parent, "apply")


def test_what_is_no_traceparent_begins_a_trace_of_its_own() -> None:
    run = replace(CUT_OFF, traceparent="nonsense")
    assert job_spans(_ran(EndReason.CANCELED), run) == job_spans(_ran(EndReason.CANCELED), CUT_OFF)


def test_a_job_in_a_trace_that_is_not_recorded_has_no_spans() -> None:
    assert job_spans(_ran(EndReason.CANCELED), replace(CUT_OFF, traceparent=PARENT[:-1] + "0")) == ()


def _texts(span: Span) -> list[Any]:
    return [span.name, *span.attributes.values(), *(each.name for each in span.events)]


def test_no_free_text_of_users_is_in_a_span() -> None:
    condition = Condition(JobCondition.CANCEL_REQUESTED, ConditionStatus.TRUE, CancelReason.STOPPED, CANARY, NOON)
    job = an_ended_job(
        tags={CANARY: CANARY},
        phase=Phase.CANCELED,
        reason=EndReason.CANCELED,
        message=CANARY,
        cancel=True,
        cancel_reason=CANARY,
        canceled_by=CANARY,
        initiator=CANARY,
        workspace_owner=CANARY,
        plan_digest=CANARY,
        conditions=(condition,),
    )
    assert not [text for span in job_spans(job, CUT_OFF) for text in _texts(span) if CANARY in str(text)]


times = st.none() | st.floats(NOON - 1000, NOON + 1000)


@given(times, times, st.lists(st.tuples(st.floats(NOON - 1000, NOON + 1000), times), max_size=4))
def test_no_span_ends_before_it_begins_whatever_the_clocks_say(
    started: float | None, finished: float | None, stages: list[tuple[float, float | None]]
) -> None:
    job = replace(_ran(EndReason.RUN_FAILED), started=started, finished=finished)
    run = EndedRun(stages=tuple(StageTiming(f"stage-{at}", *each) for at, each in enumerate(stages)))
    spans = job_spans(job, run)
    assert len(spans) == 3 + len(stages)
    assert all(each.started <= each.finished for each in spans)

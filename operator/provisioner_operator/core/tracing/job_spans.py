"""Describe an ended job as spans: one for the job, and one for each step of its way through queue, daemon and stages.

A pure function of the ended job's object: no process has to remember anything, and a job that is described twice has the
same spans twice. Attributes follow OpenTelemetry's conventions for CI/CD; ours begin with `provisioner.`. Values that users
or templates choose freely (variables, outputs, tags, messages, reasons of a cancel) are never among them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from provisioner_operator.api.v1alpha1.enums import JobCondition, Phase
from provisioner_operator.core.jobs.ended_run import EndedRun
from provisioner_operator.core.jobs.outcome import StageTiming
from provisioner_operator.core.model.records import Job
from provisioner_operator.core.tracing.context import TraceContext, job_context, parse_traceparent, stage_context
from provisioner_operator.core.tracing.results import Result, result_of

ACTION = "RUN"
"""Value of `cicd.pipeline.action.name`."""
QUEUE = "queue"
ASSIGN = "assign"
CANCEL_REQUESTED = "cancel requested"

AttributeValue = str | int


@dataclass(frozen=True, slots=True)
class SpanEvent:
    """A moment in a span; seconds since the epoch."""

    name: str
    time: float


@dataclass(frozen=True, slots=True)
class Span:
    """One span; times in seconds since the epoch."""

    name: str
    context: TraceContext
    parent: TraceContext | None
    started: float
    finished: float
    result: Result
    attributes: Mapping[str, AttributeValue]
    events: Sequence[SpanEvent] = field(default=())
    is_root: bool = False
    """Whether it is the job itself: one that a caller asked for."""


def job_spans(job: Job, run: EndedRun) -> tuple[Span, ...]:
    """Return the spans of an ended job, the root last: whoever has it, has all. None if its parent's trace is not recorded."""
    parent = None if run.traceparent is None else parse_traceparent(run.traceparent)
    root = _root(job, run, parent)
    return (*_steps(job, run, parent, root), root) if root.context.sampled else ()


def _root(job: Job, run: EndedRun, parent: TraceContext | None) -> Span:
    result = result_of(job)
    pipeline = run.template or job.type.value
    return Span(
        f"{ACTION} {pipeline}",
        job_context(job.uid, parent),
        parent,
        job.created,
        max(job.finished or job.created, job.created),
        result,
        {
            **_common(job, run),
            "cicd.pipeline.action.name": ACTION,
            "cicd.pipeline.result": result.value,
            **_error(job, result),
            **_worker(job),
            "provisioner.job.name": job.name,
            "provisioner.job.type": job.type.value,
            "provisioner.job.reason": job.reason or "",
            **({} if job.transition is None else {"provisioner.job.transition": job.transition.value}),
            **({} if job.workspace is None else {"provisioner.workspace.name": job.workspace}),
        },
        tuple(
            SpanEvent(CANCEL_REQUESTED, each.since)
            for each in job.conditions
            if each.type == JobCondition.CANCEL_REQUESTED
        ),
        is_root=True,
    )


def _steps(job: Job, run: EndedRun, parent: TraceContext | None, root: Span) -> Iterator[Span]:
    timings = [*_before_the_run(job), *run.stages]
    # Only the last step has the job's result: the others were left behind. So was an assignment that was acknowledged.
    went_on = job.phase is Phase.COMPLETED or (job.started is not None and not run.stages)
    for timing, after in pairwise((*timings, None)):
        assert timing is not None  # noqa: S101 - only the last is None, and it never comes first
        result = Result.SUCCESS if after is not None or went_on else root.result
        yield Span(
            timing.stage,
            stage_context(job.uid, parent, timing.stage),
            root.context,
            timing.started,
            max(timing.started, root.finished if timing.finished is None else timing.finished),
            result,
            {
                **_common(job, run),
                "cicd.pipeline.task.name": timing.stage,
                "cicd.pipeline.task.run.id": f"{job.uid}/{timing.stage}",
                "cicd.pipeline.task.run.result": result.value,
                **_error(job, result),
                **(_worker(job) if timing.stage != QUEUE else _suspension(job)),
            },
        )


def _before_the_run(job: Job) -> Iterator[StageTiming]:
    """Return the wait for a daemon and the wait for its acknowledgment. Only the last assignment is on record."""
    yield StageTiming(QUEUE, job.created, None if job.assignment is None else job.assignment.time)
    if job.assignment is not None:
        yield StageTiming(ASSIGN, job.assignment.time, job.started)


def _common(job: Job, run: EndedRun) -> Mapping[str, AttributeValue]:
    return {
        "cicd.pipeline.name": run.template or job.type.value,
        "cicd.pipeline.run.id": job.uid,
        "k8s.namespace.name": job.namespace,
    }


def _worker(job: Job) -> Mapping[str, AttributeValue]:
    if job.assignment is None:
        return {}
    return {"cicd.worker.name": job.assignment.daemon, "cicd.worker.id": job.assignment.daemon_uid}


def _suspension(job: Job) -> Mapping[str, AttributeValue]:
    return {"provisioner.queue.suspended_seconds": round(job.suspended_seconds)} if job.suspended_seconds else {}


def _error(job: Job, result: Result) -> Mapping[str, AttributeValue]:
    if result in {Result.SUCCESS, Result.CANCELLATION}:
        return {}
    return {"error.type": job.reason or "_OTHER"}

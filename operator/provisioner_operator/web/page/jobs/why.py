"""Explanation of a pending job, in the order in which people ask: why, which daemon lacks what, what to do, and when. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.core.estimates.start_times import StartEstimate
from provisioner_operator.core.jobs.timeouts import pending_deadline
from provisioner_operator.core.model.matching import format_tags
from provisioner_operator.core.model.records import Job
from provisioner_operator.core.scheduling.explanation import STUCK, Explanation
from provisioner_operator.core.views.fit import Fit
from provisioner_operator.core.views.near_miss import NearMiss
from provisioner_operator.core.views.queue_view import Place
from provisioner_operator.web.page.times import Moment, duration, moment
from provisioner_operator.web.page.words import counted


@dataclass(frozen=True, slots=True)
class Advice:
    """A daemon that nearly matches: how it differs, and the command that removes the difference, if there is one."""

    text: str
    command: str = ""


@dataclass(frozen=True, slots=True)
class DaemonFit:
    """One daemon of the organization, compared with the job."""

    daemon: str
    matches: bool
    state: str
    lacks: tuple[str, ...]
    too_many: tuple[str, ...]
    last_seen: str


@dataclass(frozen=True, slots=True)
class Why:
    """Everything that is known about the wait of a job."""

    reason: str
    message: str
    is_stuck: bool
    needs: str
    """Provisioner and tags that it requires."""
    advice: tuple[Advice, ...] = ()
    daemons: tuple[DaemonFit, ...] = ()
    place: str = ""
    estimate: str = ""
    deadline: Moment | None = None
    """Time at which it fails if it has not started."""


@dataclass(frozen=True, slots=True)
class Findings:
    """Answers of the queue about one job."""

    explanation: Explanation | None = None
    place: Place | None = None
    estimate: StartEstimate | None = None
    unknown_because: str = ""
    """Reason why there is no estimate for a job in the queue."""
    near_misses: Sequence[NearMiss] = ()
    fits: Sequence[Fit] = ()
    is_stuck: bool = False


def explain(job: Job, found: Findings, now: float) -> Why | None:
    """Return why the job waits; None if it is not pending."""
    if job.phase is not Phase.PENDING:
        return None
    reason, message = _reason(job, found.explanation)
    return Why(
        reason=reason,
        message=message,
        is_stuck=found.is_stuck or reason in STUCK,
        needs=f"provisioner {job.demand.provisioner}, tags {format_tags(job.demand.tags)}",
        advice=tuple(_advice(each) for each in found.near_misses),
        daemons=tuple(_fit(each) for each in found.fits),
        place=_place(found.place),
        estimate=_estimate(found.estimate, found.unknown_because) if found.place else "",
        deadline=moment(pending_deadline(job), now),
    )


def _reason(job: Job, explanation: Explanation | None) -> tuple[str, str]:
    if explanation is not None:
        return explanation.reason, f"{explanation.message} {explanation.details}".rstrip()
    if job.cancel:
        return "CancelRequested", "Its cancel was requested: the operator is about to end it."
    if job.assignment is not None:
        return "Assigned", f"It is assigned to provisioner {job.assignment.daemon}, which is about to start it."
    return "Ready", "A provisioner is free for it. If it does not start within seconds, the operator may be down."


def _advice(found: NearMiss) -> Advice:
    return Advice(found.difference, found.command) if found.command else Advice(found.sentence)


def _fit(fit: Fit) -> DaemonFit:
    seen = "never" if fit.last_seen is None else f"{duration(fit.last_seen)} ago"
    return DaemonFit(fit.daemon, fit.matches, fit.state, fit.lacks, fit.has_too_many, seen)


def _place(place: Place | None) -> str:
    if place is None:
        return ""
    if place.size == 1:
        return "It is the only job in the queue for these tags."
    return f"It is number {place.position} of {place.size} in the queue for these tags."


def _estimate(estimate: StartEstimate | None, unknown_because: str) -> str:
    if estimate is None:
        return f"When it starts is unknown: {unknown_because}."
    if estimate.p90 <= 0:
        return "It is about to start: a provisioner is free for it."
    basis = f"at least {counted(estimate.runs, 'past run')} of each kind"
    p50, p90 = duration(ceil(estimate.p50)), duration(ceil(estimate.p90))
    return f"It starts in {p50} (p50), or {p90} (p90), estimated from {basis}."

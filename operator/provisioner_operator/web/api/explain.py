"""Explanations of jobs and predictions, from the index. Pure."""

from collections.abc import Sequence
from uuid import UUID

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.core.model.matching import Demand
from provisioner_operator.core.model.records import Job
from provisioner_operator.core.views.fit import Fit, fits
from provisioner_operator.core.views.near_miss import near_misses
from provisioner_operator.core.views.snapshot import waited
from provisioner_operator.web.api.models import DaemonFit, Match, RunEstimate, StartEstimate, Why
from provisioner_operator.web.coder.convert.words import STATUS_OF
from provisioner_operator.web.index.cluster_index import ClusterIndex


def why(job: Job, index: ClusterIndex, *, shows_daemons: bool) -> Why:
    """Explain a job; `shows_daemons` if the user may list the daemons."""
    queue = index.queue
    is_pending = job.phase is Phase.PENDING
    explanation = queue.explain(job) if is_pending else None
    place = queue.place(job.uid) if is_pending else None
    estimate = queue.start_of(job) if is_pending else None
    run = queue.run_of(job)
    return Why(
        id=UUID(job.uid),
        name=job.name,
        organization_name=job.namespace,
        status=STATUS_OF[job.phase],
        stuck=queue.is_stuck(job),
        reason=None if explanation is None else explanation.reason,
        message=_message(job) if explanation is None else explanation.message,
        details="" if explanation is None else explanation.details,
        position=place.position if place else 0,
        queue_size=place.size if place else 0,
        waited_seconds=waited(job, index.now()),
        estimate=None
        if estimate is None
        else StartEstimate(p50_seconds=estimate.p50, p90_seconds=estimate.p90, runs=estimate.runs),
        run=None
        if run is None
        else RunEstimate(p50_seconds=run.p50, p90_seconds=run.p90, runs=run.runs, overlong=run.is_overlong),
        nearest=[each.sentence for each in queue.near_misses(job)] if is_pending and shows_daemons else [],
        daemons=daemon_fits(queue.fits(job)) if shows_daemons else None,
    )


def match(demand: Demand, index: ClusterIndex) -> Match:
    """Predict where a job of this demand would run now."""
    index.queue.advance()
    live = index.queue.live
    explanation = live.explain(demand)
    return Match(
        organization_name=demand.namespace,
        provisioner=demand.provisioner,
        tags=dict(sorted(demand.tags)),
        starts_now=explanation is None,
        reason=None if explanation is None else explanation.reason,
        message="A daemon is ready to run it." if explanation is None else explanation.message,
        details="" if explanation is None else explanation.details,
        waiting=len(live.queues.get(demand, ())),
        nearest=[each.sentence for each in near_misses(demand, live)],
        daemons=daemon_fits(fits(demand, live)),
    )


def daemon_fits(found: Sequence[Fit]) -> list[DaemonFit]:
    """Convert comparisons of daemons with a job."""
    return [
        DaemonFit(
            name=fit.daemon,
            matches=fit.matches,
            state=fit.state,
            lacks=list(fit.lacks),
            has_too_many=list(fit.has_too_many),
            last_seen_seconds=fit.last_seen,
        )
        for fit in found
    ]


def _message(job: Job) -> str:
    if job.phase is not Phase.PENDING:
        return job.message or f"It is {job.phase}."
    return "Its cancel is requested." if job.cancel else "A daemon is about to start it."

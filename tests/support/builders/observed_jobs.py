"""Reconciler of jobs and daemons with a test in the place of the API server."""

from dataclasses import replace

from provisioner_operator.api.v1alpha1.enums import EndReason, Phase
from provisioner_operator.core.jobs.decisions import Assign
from provisioner_operator.core.model.records import Daemon, Job
from provisioner_operator.core.reconcilers.decisions import JobReconcilerDecision
from provisioner_operator.core.reconcilers.jobs import JobReconciler
from support.builders.core import NOON, an_assignment, at, later_version


class ObservedJobs:
    """The jobs' reconciler, and the decisions whose writes are not answered yet."""

    def __init__(self, *objects: Job | Daemon, now: float = 0) -> None:
        self.mirror = JobReconciler()
        self.under_way: dict[str, JobReconcilerDecision] = {}
        self.see(*objects, now=now)

    def see(self, *objects: Job | Daemon, now: float = 0, fresh: bool = False) -> None:
        for each in objects:
            if isinstance(each, Job):
                self.mirror.observe_job(each, at(now))
            else:
                self.mirror.observe_daemon(each, at(now), fresh=fresh)

    def decided(self, now: float = 0) -> list[JobReconcilerDecision]:
        decisions = list(self.mirror.decide(at(now)))
        self.under_way.update({each.subject: each for each in decisions})
        return decisions

    def assigned(self, now: float = 0) -> list[tuple[str, str]]:
        return [(each.job.name, each.daemon.name) for each in self.decided(now) if isinstance(each, Assign)]

    def written(self, job: Job, now: float = 0) -> None:
        """The write of the decision about the job succeeded, and this is its answer."""
        self.see(job, now=now)
        self.settled(job.uid, now)

    def checked(self, daemon: Daemon, now: float) -> None:
        """The fresh read that was decided on found the daemon so."""
        self.see(daemon, now=now, fresh=True)
        self.settled(daemon.uid, now)

    def settled(self, uid: str, now: float = 0) -> None:
        """The decision about the object was carried out, or came to nothing."""
        self.mirror.settled(self.under_way.pop(uid), at(now))

    def wake(self) -> float | None:
        """Return the time at which it wants to be woken, in seconds after noon."""
        due = self.mirror.next_wake()
        return None if due is None else due - at(0).monotonic


def assigned_by(decision: JobReconcilerDecision) -> Job:
    """The job as the write of an Assign leaves it."""
    assert isinstance(decision, Assign)
    given = an_assignment(decision.daemon.name)
    return later_version(decision.job, assignment=replace(given, id=decision.assignment_id))


def ended(job: Job, phase: Phase = Phase.COMPLETED, reason: str = EndReason.COMPLETED) -> Job:
    return later_version(job, phase=phase, reason=reason, finished=NOON)

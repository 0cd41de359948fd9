"""Decisions about jobs, each a value that names the write (or read) to make.

Made by `evaluation` and the job reconciler, carried out by `controller.writes.jobs`.
"""

from dataclasses import dataclass

from provisioner_operator.api.v1alpha1.enums import CancelReason, EndReason, PendingReason, Phase
from provisioner_operator.core.jobs import status_writes
from provisioner_operator.core.model.decision import ObjectReference
from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.core.model.records import Daemon, EndedJob, Job

BEING_DELETED = "The job is being deleted and does not start. It is gone once its metadata.finalizers are removed."
"""Message of a pending job whose deletion is held up."""


class _AboutJob:
    """Decision about a job, unfinished or ended."""

    __slots__ = ()

    job: Job | EndedJob

    @property
    def subject(self) -> str:
        """The job's uid."""
        return self.job.uid

    @property
    def display_name(self) -> str:
        """The job as people write it."""
        return self.job.display_name

    @property
    def regarding(self) -> ObjectReference:
        """The job."""
        return ObjectReference("ProvisionerJob", self.job.namespace, self.job.name, self.job.uid)


@dataclass(frozen=True, slots=True)
class AboutJob(_AboutJob):
    """Decision about an unfinished job."""

    job: Job


@dataclass(frozen=True, slots=True)
class Assign(AboutJob):
    """Give the job to the daemon."""

    daemon: Daemon

    @property
    def assignment_id(self) -> str:
        """Unique id of the assignment: the job's version grows with each write, so no later one is the same."""
        return f"{self.daemon.uid}.{self.job.resource_version}"

    def patch(self, now: float) -> JsonPatch:
        """Return the patch of the job's status."""
        return status_writes.assign(self.job, self.daemon, self.assignment_id, now)


@dataclass(frozen=True, slots=True)
class Release(AboutJob):
    """Take back an unacknowledged assignment."""

    why: str

    def patch(self, now: float) -> JsonPatch:
        """Return the patch of the job's status."""
        return status_writes.release(self.job, self.why, now)


@dataclass(frozen=True, slots=True)
class Fail(AboutJob):
    """End the job because a deadline passed, its daemon is lost, or its workspace is not its user's."""

    reason: EndReason
    message: str

    def patch(self, now: float) -> JsonPatch:
        """Return the patch of the job's status."""
        return status_writes.end(self.job, Phase.FAILED, self.reason, self.message, now)


@dataclass(frozen=True, slots=True)
class Cancel(AboutJob):
    """Complete a cancel that no daemon has to, or can, carry out."""

    reason: CancelReason
    message: str

    def patch(self, now: float) -> JsonPatch:
        """Return the patch of the job's status."""
        return status_writes.cancel(self.job, self.reason, self.message, now)


@dataclass(frozen=True, slots=True)
class Explain(AboutJob):
    """Write the reason why the job is pending."""

    reason: PendingReason
    message: str

    def patch(self, now: float) -> JsonPatch:
        """Return the patch of the job's status."""
        return status_writes.set_pending_reason(self.job, self.reason, self.message, now)


@dataclass(frozen=True, slots=True)
class Withdraw(AboutJob):
    """Keep a pending job that is being deleted from starting, and report that."""

    def patch(self, now: float) -> JsonPatch:
        """Return the patch of the job's status."""
        return status_writes.set_pending_reason(self.job, PendingReason.BEING_DELETED, BEING_DELETED, now)


@dataclass(frozen=True, slots=True)
class Suspend(AboutJob):
    """Stop the pending job's timeout."""

    def patch(self, now: float) -> JsonPatch:
        """Return the patch of the job's status."""
        message = "Suspended: set spec.suspend to false to queue the job."
        return status_writes.suspend(self.job, message, now)


@dataclass(frozen=True, slots=True)
class Resume(AboutJob):
    """Continue the pending job's timeout."""

    def patch(self, now: float) -> JsonPatch:
        """Return the patch of the job's status."""
        return status_writes.resume(self.job, now)


@dataclass(frozen=True, slots=True)
class Expire(_AboutJob):
    """Delete an ended job whose time to live is over, or that its namespace's history does not keep."""

    job: EndedJob


@dataclass(frozen=True, slots=True)
class RecordGeneration(_AboutJob):
    """Record that a change of an ended job's spec was observed: engines that read kstatus wait for that."""

    job: EndedJob

    def patch(self, _: float) -> JsonPatch:
        """Return the patch of the job's status."""
        return status_writes.record_generation(self.job)


@dataclass(frozen=True, slots=True)
class CheckJob(AboutJob):
    """Read the job again: its daemon no longer lists the run, so a watch may have missed its end."""


JobDecision = (
    Assign | Release | Fail | Cancel | Explain | Withdraw | Suspend | Resume | Expire | RecordGeneration | CheckJob
)

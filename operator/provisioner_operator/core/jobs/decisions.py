"""What the controller may decide, each a value that names the write (or read) to make.

Made by `judging` and `mirror`, carried out by `controller.writer`. `subject` is the uid of the object concerned: at most
one decision about an object is under way at a time.
"""

from dataclasses import dataclass

from provisioner_operator.api.v1alpha1.enums import CancelReason, EndReason, PendingReason, Phase
from provisioner_operator.api.v1alpha1.names import API_VERSION
from provisioner_operator.core.jobs import status_writes
from provisioner_operator.core.jobs.status_writes import StatusPatch
from provisioner_operator.core.model.json_value import JsonObject
from provisioner_operator.core.model.records import Daemon, DaemonPod, Job, Offer


@dataclass(frozen=True, slots=True)
class Assign:
    """Give the job to the daemon."""

    job: Job
    daemon: Daemon

    @property
    def assignment_id(self) -> str:
        """Unique to this assignment: the job's version grows with each write, so no later one can bear it."""
        return f"{self.daemon.uid}.{self.job.resource_version}"

    def patch(self, now: float) -> StatusPatch:
        """The write."""
        return status_writes.assign(self.job, self.daemon, self.assignment_id, now)


@dataclass(frozen=True, slots=True)
class Release:
    """Take an unacknowledged assignment back."""

    job: Job
    why: str

    def patch(self, now: float) -> StatusPatch:
        """The write."""
        return status_writes.release(self.job, self.why, now)


@dataclass(frozen=True, slots=True)
class Fail:
    """End the job because a clock ran out or its daemon is lost."""

    job: Job
    reason: EndReason
    message: str

    def patch(self, now: float) -> StatusPatch:
        """The write."""
        return status_writes.end(self.job, Phase.FAILED, self.reason, self.message, now)


@dataclass(frozen=True, slots=True)
class BeginCancel:
    """Show that a running job's cancel is being carried out: only from there may it become Canceled."""

    job: Job

    def patch(self, now: float) -> StatusPatch:
        """The write."""
        return status_writes.begin_cancel(self.job, now)


@dataclass(frozen=True, slots=True)
class Cancel:
    """Finish a cancel that no daemon has to, or can, carry out."""

    job: Job
    reason: CancelReason
    message: str

    def patch(self, now: float) -> StatusPatch:
        """The write."""
        return status_writes.cancel(self.job, self.reason, self.message, now)


@dataclass(frozen=True, slots=True)
class Explain:
    """Say why the job is pending."""

    job: Job
    reason: PendingReason
    message: str

    def patch(self, now: float) -> StatusPatch:
        """The write."""
        return status_writes.explain(self.job, self.reason, self.message, now)


@dataclass(frozen=True, slots=True)
class Suspend:
    """Stop the pending job's clock."""

    job: Job

    def patch(self, now: float) -> StatusPatch:
        """The write."""
        message = "Suspended: set spec.suspend to false to let it into the queue."
        return status_writes.suspend(self.job, message, now)


@dataclass(frozen=True, slots=True)
class Resume:
    """Let the pending job's clock go on."""

    job: Job

    def patch(self, now: float) -> StatusPatch:
        """The write."""
        return status_writes.resume(self.job, now)


@dataclass(frozen=True, slots=True)
class Expire:
    """Delete an ended job whose time to live is over."""

    job: Job


@dataclass(frozen=True, slots=True)
class CheckJob:
    """Read the job afresh: its daemon no longer lists the run, so a watch may have missed its end."""

    job: Job


@dataclass(frozen=True, slots=True)
class CheckDaemon:
    """Read the daemon afresh: only a silence that the API server itself confirms counts."""

    daemon: Daemon


@dataclass(frozen=True, slots=True)
class MarkOffline:
    """Show that the daemon fell silent."""

    daemon: Daemon
    message: str

    def patch(self, now: float) -> StatusPatch:
        """The write."""
        return status_writes.daemon_offline(self.daemon, self.message, now)


@dataclass(frozen=True, slots=True)
class RegisterDaemon:
    """Create the ProvisionerDaemon of a Pod, which goes when the Pod goes."""

    pod: DaemonPod

    def body(self) -> JsonObject:
        """The object to create."""
        owner: JsonObject = {
            "apiVersion": "v1",
            "kind": "Pod",
            "name": self.pod.name,
            "uid": self.pod.uid,
            "controller": True,
        }
        return {
            "apiVersion": API_VERSION,
            "kind": "ProvisionerDaemon",
            "metadata": {"name": self.pod.name, "namespace": self.pod.namespace, "ownerReferences": [owner]},
            "spec": _spec(self.pod.offer),
        }


@dataclass(frozen=True, slots=True)
class ReshapeDaemon:
    """Bring a ProvisionerDaemon's spec up to what its Pod's annotations say; its cordon stays as it is."""

    pod: DaemonPod
    daemon: Daemon

    def operations(self) -> list[JsonObject]:
        """The JSON Patch of the object."""
        return [
            {"op": "test", "path": "/metadata/uid", "value": self.daemon.uid},
            *(
                {"op": "add", "path": f"/spec/{field}", "value": value}
                for field, value in _spec(self.pod.offer).items()
            ),
        ]


@dataclass(frozen=True, slots=True)
class RemoveDaemon:
    """Delete the ProvisionerDaemon of a former Pod, whose name another Pod now bears."""

    pod: DaemonPod
    daemon: Daemon


JobDecision = Assign | Release | Fail | BeginCancel | Cancel | Explain | Suspend | Resume | Expire | CheckJob
DaemonDecision = CheckDaemon | MarkOffline
PodDecision = RegisterDaemon | ReshapeDaemon | RemoveDaemon
Decision = JobDecision | DaemonDecision | PodDecision


def subject(decision: Decision) -> str:
    """The uid of the object that the decision is about."""
    match decision:
        case CheckDaemon(daemon) | MarkOffline(daemon):
            return daemon.uid
        case RegisterDaemon(pod) | ReshapeDaemon(pod) | RemoveDaemon(pod):
            return pod.uid
        case _:
            return decision.job.uid


def _spec(offer: Offer) -> JsonObject:
    return {
        "tags": dict(sorted(offer.tags)),
        "provisioners": sorted(offer.provisioners),
        "capacity": offer.capacity,
        "lostAfterSeconds": offer.lost_after,
        "cancelGraceSeconds": offer.cancel_grace,
    }

"""Define the decisions about daemons and their Pods, each a value that names the write (or read) to make.

Carried out by `controller.writes.daemons`.
"""

from dataclasses import dataclass

from provisioner_operator.api.v1alpha1.enums import (
    ConditionStatus,
    DaemonState,
)
from provisioner_operator.api.v1alpha1.names import API_VERSION, RUNS_FINALIZER
from provisioner_operator.core.model.conditions import with_condition
from provisioner_operator.core.model.decision import ObjectReference
from provisioner_operator.core.model.json_patch import JsonPatch, add_finalizer, conditions_json, remove_finalizer
from provisioner_operator.core.model.json_value import JsonObject
from provisioner_operator.core.model.records import Daemon, DaemonPod, Offer, UnreadableObject

HEARTBEAT_MISSING = "HeartbeatMissing"
"""Reason of the condition `Ready` of a daemon that misses its heartbeats, since the time at which they were missed."""


def daemon_offline(daemon: Daemon, message: str, now: float) -> JsonPatch:
    """Return the write that marks a daemon as offline; a heartbeat that arrived meanwhile wins."""
    conditions = with_condition(daemon.conditions, "Ready", ConditionStatus.UNKNOWN, HEARTBEAT_MISSING, message, now)
    return JsonPatch(
        tests=(("/metadata/uid", daemon.uid), ("/status/lastHeartbeatTime", daemon.heartbeat)),
        sets=(
            ("/status/state", DaemonState.OFFLINE),
            ("/status/jobs", ""),  # for display; what may still run stays in currentJobs
            ("/status/conditions", conditions_json(conditions)),
        ),
    )


@dataclass(frozen=True, slots=True)
class _AboutDaemon:
    daemon: Daemon | UnreadableObject

    @property
    def subject(self) -> str:
        """The daemon's uid."""
        return self.daemon.uid

    @property
    def display_name(self) -> str:
        """The daemon as people write it."""
        return self.daemon.display_name

    @property
    def regarding(self) -> ObjectReference:
        """The ProvisionerDaemon."""
        return ObjectReference("ProvisionerDaemon", self.daemon.namespace, self.daemon.name, self.daemon.uid)


@dataclass(frozen=True, slots=True)
class CheckDaemon(_AboutDaemon):
    """Read the daemon again: missed heartbeats count only once the API server confirms them."""

    daemon: Daemon


@dataclass(frozen=True, slots=True)
class MarkOffline(_AboutDaemon):
    """Mark as offline a daemon that misses its heartbeats."""

    daemon: Daemon
    message: str

    def patch(self, now: float) -> JsonPatch:
        """Return the patch of the ProvisionerDaemon's status."""
        return daemon_offline(self.daemon, self.message, now)


@dataclass(frozen=True, slots=True)
class HoldDaemon(_AboutDaemon):
    """Add the finalizer to a daemon, before it gets any job."""

    daemon: Daemon

    def patch(self) -> JsonPatch:
        """Return the patch of the ProvisionerDaemon."""
        return add_finalizer(RUNS_FINALIZER, self.daemon.uid, self.daemon.finalizers)


@dataclass(frozen=True, slots=True)
class ReleaseDaemon(_AboutDaemon):
    """Remove the finalizer of a deleted daemon: nothing that it ran is left."""

    def patch(self) -> JsonPatch:
        """Return the patch of the ProvisionerDaemon."""
        return remove_finalizer(RUNS_FINALIZER, self.daemon.uid, self.daemon.finalizers)


@dataclass(frozen=True, slots=True)
class _AboutPod:
    pod: DaemonPod

    @property
    def subject(self) -> str:
        """The Pod's uid."""
        return self.pod.uid

    @property
    def display_name(self) -> str:
        """The Pod as people write it."""
        return self.pod.display_name

    @property
    def regarding(self) -> ObjectReference:
        """The Pod, from whose annotations its ProvisionerDaemon is made."""
        return ObjectReference("Pod", self.pod.namespace, self.pod.name, self.pod.uid, api_version="v1")


@dataclass(frozen=True, slots=True)
class RegisterDaemon(_AboutPod):
    """Create the ProvisionerDaemon of a Pod, which goes when the Pod goes."""

    def body(self) -> JsonObject:
        """Return the ProvisionerDaemon."""
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
            "metadata": {
                "name": self.pod.name,
                "namespace": self.pod.namespace,
                "ownerReferences": [owner],
                "finalizers": [RUNS_FINALIZER],
            },
            "spec": _spec(self.pod.offer),
        }


@dataclass(frozen=True, slots=True)
class ReshapeDaemon(_AboutPod):
    """Update a ProvisionerDaemon's spec from its Pod's annotations, without its cordon."""

    daemon: Daemon

    def patch(self) -> JsonPatch:
        """Return the patch of the ProvisionerDaemon."""
        return JsonPatch(
            tests=(("/metadata/uid", self.daemon.uid),),
            sets=tuple((f"/spec/{field}", value) for field, value in _spec(self.pod.offer).items()),
        )


@dataclass(frozen=True, slots=True)
class RemoveDaemon(_AboutPod):
    """Delete the ProvisionerDaemon of a former Pod, whose name this Pod now has: a read shows that it still does."""

    daemon: Daemon


DaemonDecision = CheckDaemon | MarkOffline | HoldDaemon | ReleaseDaemon


PodDecision = RegisterDaemon | ReshapeDaemon | RemoveDaemon


def _spec(offer: Offer) -> JsonObject:
    return {
        "tags": dict(sorted(offer.tags)),
        "provisioners": sorted(offer.provisioners),
        "capacity": offer.capacity,
        "lostAfterSeconds": offer.lost_after,
        "cancelGraceSeconds": offer.cancel_grace,
    }

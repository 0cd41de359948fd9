"""Decisions about daemons and their Pods, each a value that names the write (or read) to make."""

from dataclasses import dataclass

from provisioner_operator.api.v1alpha1.enums import (
    ConditionStatus,
    DaemonState,
)
from provisioner_operator.api.v1alpha1.names import API_VERSION
from provisioner_operator.core.model.conditions import with_condition
from provisioner_operator.core.model.json_patch import JsonPatch, conditions_json
from provisioner_operator.core.model.json_value import JsonObject
from provisioner_operator.core.model.records import Daemon, DaemonPod, Offer


def daemon_offline(daemon: Daemon, message: str, now: float) -> JsonPatch:
    """Return the write that marks a daemon as offline; a heartbeat that arrived meanwhile wins."""
    conditions = with_condition(daemon.conditions, "Ready", ConditionStatus.UNKNOWN, "HeartbeatMissing", message, now)
    return JsonPatch(
        tests=(("/metadata/uid", daemon.uid), ("/status/lastHeartbeatTime", daemon.heartbeat)),
        sets=(("/status/state", DaemonState.OFFLINE), ("/status/conditions", conditions_json(conditions))),
    )


@dataclass(frozen=True, slots=True)
class CheckDaemon:
    """Read the daemon again: missed heartbeats count only once the API server confirms them."""

    daemon: Daemon


@dataclass(frozen=True, slots=True)
class MarkOffline:
    """Mark as offline a daemon that misses its heartbeats."""

    daemon: Daemon
    message: str

    def patch(self, now: float) -> JsonPatch:
        """Return the patch of the ProvisionerDaemon's status."""
        return daemon_offline(self.daemon, self.message, now)


@dataclass(frozen=True, slots=True)
class RegisterDaemon:
    """Create the ProvisionerDaemon of a Pod, which is deleted with the Pod."""

    pod: DaemonPod

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
            "metadata": {"name": self.pod.name, "namespace": self.pod.namespace, "ownerReferences": [owner]},
            "spec": _spec(self.pod.offer),
        }


@dataclass(frozen=True, slots=True)
class ReshapeDaemon:
    """Update a ProvisionerDaemon's spec from its Pod's annotations, without its cordon."""

    pod: DaemonPod
    daemon: Daemon

    def patch(self) -> JsonPatch:
        """Return the patch of the ProvisionerDaemon."""
        return JsonPatch(
            tests=(("/metadata/uid", self.daemon.uid),),
            sets=tuple((f"/spec/{field}", value) for field, value in _spec(self.pod.offer).items()),
        )


@dataclass(frozen=True, slots=True)
class RemoveDaemon:
    """Delete the ProvisionerDaemon of a former Pod, whose name another Pod now has."""

    pod: DaemonPod
    daemon: Daemon


DaemonDecision = CheckDaemon | MarkOffline


PodDecision = RegisterDaemon | ReshapeDaemon | RemoveDaemon


def _spec(offer: Offer) -> JsonObject:
    return {
        "tags": dict(sorted(offer.tags)),
        "provisioners": sorted(offer.provisioners),
        "capacity": offer.capacity,
        "lostAfterSeconds": offer.lost_after,
        "cancelGraceSeconds": offer.cancel_grace,
    }

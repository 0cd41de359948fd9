"""Decisions about pools, each a value that names the write to make and its precondition.

Made by `plan`, carried out by the controller's writer. A decision that was not carried out, or not observed to be, is
made again in the next round; the writer skips a decision whose `subject` has one in flight. The result of a CreatePod
is reported to `fleet_plan.Fleet`.
"""

from dataclasses import dataclass

from provisioner_operator.api.v1alpha1.names import CORDONED_BY_ANNOTATION, DRAIN_FINALIZER
from provisioner_operator.core.model.json_patch import JsonPatch, add_finalizer, remove_finalizer
from provisioner_operator.core.model.json_value import JsonObject
from provisioner_operator.core.pools import pod_builder
from provisioner_operator.core.pools.members import PoolDaemon, PoolPod
from provisioner_operator.core.pools.records import Pool, PoolStatus
from provisioner_operator.core.pools.status import status_patch

_MARK = f"/metadata/annotations/{CORDONED_BY_ANNOTATION.replace('/', '~1')}"


@dataclass(frozen=True, slots=True)
class CreatePod:
    """Create a Pod of this name; if it exists already, an earlier request succeeded."""

    pool: Pool
    name: str
    default_image: str

    def body(self) -> JsonObject:
        """Return the Pod."""
        return pod_builder.pod(self.pool, self.name, self.default_image)


@dataclass(frozen=True, slots=True)
class CordonDaemon:
    """Cordon a daemon that is to be removed, and mark the cordon as the pool's."""

    pool: Pool
    pod: PoolPod
    daemon: PoolDaemon

    def patch(self) -> JsonPatch:
        """Return the patch of the ProvisionerDaemon, which fails if somebody else has cordoned it."""
        tests = (("/metadata/uid", self.daemon.uid), ("/spec/cordoned", False))
        cordoned = ("/spec/cordoned", True)
        if self.daemon.annotated:
            return JsonPatch(tests=tests, sets=((_MARK, self.pool.name), cordoned))
        annotations: JsonObject = {CORDONED_BY_ANNOTATION: self.pool.name}
        return JsonPatch(
            tests=(*tests, ("/metadata/annotations", None)), sets=(("/metadata/annotations", annotations), cordoned)
        )


@dataclass(frozen=True, slots=True)
class UncordonDaemon:
    """Uncordon a daemon that is wanted again; only a cordon with the pool's mark is lifted."""

    pool: Pool
    pod: PoolPod
    daemon: PoolDaemon

    def patch(self) -> JsonPatch:
        """Return the patch of the ProvisionerDaemon."""
        return JsonPatch(
            tests=(("/metadata/uid", self.daemon.uid), (_MARK, self.pool.name)),
            removes=(_MARK,),
            sets=(("/spec/cordoned", False),),
        )


@dataclass(frozen=True, slots=True)
class DeletePod:
    """Delete the Pod by its uid: nothing runs on it and nothing will."""

    pool: Pool
    pod: PoolPod


@dataclass(frozen=True, slots=True)
class AddFinalizer:
    """Add the finalizer that has the pool drained before it goes; before it has any Pod."""

    pool: Pool

    def patch(self) -> JsonPatch:
        """Return the patch of the ProvisionerPool."""
        return add_finalizer(DRAIN_FINALIZER, self.pool.uid, self.pool.finalizers)


@dataclass(frozen=True, slots=True)
class RemoveFinalizer:
    """Remove the finalizer of a deleted pool that has no Pod left."""

    pool: Pool

    def patch(self) -> JsonPatch:
        """Return the patch of the ProvisionerPool."""
        return remove_finalizer(DRAIN_FINALIZER, self.pool.uid, self.pool.finalizers)


@dataclass(frozen=True, slots=True)
class UpdatePoolStatus:
    """Write the pool's status."""

    pool: Pool
    status: PoolStatus

    def patch(self) -> JsonPatch:
        """Return the patch of the ProvisionerPool's status."""
        return status_patch(self.pool, self.status)


PoolDecision = CreatePod | CordonDaemon | UncordonDaemon | DeletePod | AddFinalizer | RemoveFinalizer | UpdatePoolStatus


def subject(decision: PoolDecision) -> str:
    """Return the key of the decision: an object's uid, or for a new Pod its pool's uid and its name.

    A daemon's cordon has the key of its Pod: while one is being deleted, the other cannot be uncordoned, and vice
    versa.
    """
    match decision:
        case CreatePod(pool, name):
            return f"{pool.uid}/{name}"
        case CordonDaemon() | UncordonDaemon() | DeletePod():
            return decision.pod.uid
        case _:
            return decision.pool.uid


def display_name(decision: PoolDecision) -> str:
    """Return the namespace and name of the object that the decision is about."""
    match decision:
        case CreatePod(pool, name):
            return f"{pool.namespace}/{name}"
        case CordonDaemon() | UncordonDaemon() | DeletePod():
            return f"{decision.pod.namespace}/{decision.pod.name}"
        case _:
            return decision.pool.display_name

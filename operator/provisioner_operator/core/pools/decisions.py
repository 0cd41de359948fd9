"""What the controller may decide about a pool, each a value that names the write to make and its precondition.

Made by `pools`, carried out by the shell. A decision that was not carried out, or not seen to be, is made again at the
next look; the shell passes over those whose `subject` has one under way. Of a CreatePod the shell has to say what came of
it (`fleet.Fleet`).
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
    """Create a Pod of this name: one that exists already is the answer to an earlier request, and as good."""

    pool: Pool
    name: str
    default_image: str

    def body(self) -> JsonObject:
        """The object to create."""
        return pod_builder.pod(self.pool, self.name, self.default_image)


@dataclass(frozen=True, slots=True)
class CordonDaemon:
    """Give the daemon no further jobs, so that it can be removed, and mark the cordon as the pool's."""

    pool: Pool
    pod: PoolPod
    daemon: PoolDaemon

    def patch(self) -> JsonPatch:
        """Return the patch of the ProvisionerDaemon: it must not be cordoned yet, or the cordon would be somebody else's."""
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
    """Give the daemon jobs again, for it is wanted after all; only a cordon that bears the pool's mark is lifted."""

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
    """Delete the Pod, by its uid: nothing runs on it and nothing will."""

    pool: Pool
    pod: PoolPod


@dataclass(frozen=True, slots=True)
class AddFinalizer:
    """See to it that the pool is drained before it goes; before it has any Pod."""

    pool: Pool

    def patch(self) -> JsonPatch:
        """Return the patch of the ProvisionerPool."""
        return add_finalizer(DRAIN_FINALIZER, self.pool.uid, self.pool.finalizers)


@dataclass(frozen=True, slots=True)
class RemoveFinalizer:
    """Let the deleted pool go: no Pod is left."""

    pool: Pool

    def patch(self) -> JsonPatch:
        """Return the patch of the ProvisionerPool."""
        return remove_finalizer(DRAIN_FINALIZER, self.pool.uid, self.pool.finalizers)


@dataclass(frozen=True, slots=True)
class UpdatePoolStatus:
    """Write what the pool has and is doing."""

    pool: Pool
    status: PoolStatus

    def patch(self) -> JsonPatch:
        """The write."""
        return status_patch(self.pool, self.status)


PoolDecision = CreatePod | CordonDaemon | UncordonDaemon | DeletePod | AddFinalizer | RemoveFinalizer | UpdatePoolStatus


def subject(decision: PoolDecision) -> str:
    """What the decision is about: an object's uid, or for a Pod to be made its pool's uid and its name.

    A daemon's cordon is about its Pod: while one is being deleted, nobody may uncordon it, nor the other way round.
    """
    match decision:
        case CreatePod(pool, name):
            return f"{pool.uid}/{name}"
        case CordonDaemon() | UncordonDaemon() | DeletePod():
            return decision.pod.uid
        case _:
            return decision.pool.uid


def display_name(decision: PoolDecision) -> str:
    """The object that the decision is about, as people write it."""
    match decision:
        case CreatePod(pool, name):
            return f"{pool.namespace}/{name}"
        case CordonDaemon() | UncordonDaemon() | DeletePod():
            return f"{decision.pod.namespace}/{decision.pod.name}"
        case _:
            return decision.pool.display_name

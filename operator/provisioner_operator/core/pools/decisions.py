"""Decisions about pools, each a value that names the write to make and its precondition.

Made by `plan` and `fleet_plan`, carried out by `controller.writes.pools`. A decision that was not carried out, or not
observed to be, is made again in the next round; the reconciler skips a decision whose `subject` has one in flight. The
result of a CreatePod is reported to `fleet_plan.Fleet`.
"""

from dataclasses import dataclass

from typing_extensions import override

from provisioner_operator.api.v1alpha1.names import CORDONED_BY_ANNOTATION, DRAIN_FINALIZER
from provisioner_operator.core.model.decision import ObjectReference
from provisioner_operator.core.model.json_patch import JsonPatch, add_finalizer, remove_finalizer
from provisioner_operator.core.model.json_value import JsonObject
from provisioner_operator.core.pools import pod_builder
from provisioner_operator.core.pools.members import PoolDaemon, PoolPod
from provisioner_operator.core.pools.records import Pool, PoolStatus
from provisioner_operator.core.pools.status import status_patch

_MARK = f"/metadata/annotations/{CORDONED_BY_ANNOTATION.replace('/', '~1')}"


@dataclass(frozen=True, slots=True)
class _AboutPool:
    pool: Pool

    @property
    def subject(self) -> str:
        """The pool's uid."""
        return self.pool.uid

    @property
    def display_name(self) -> str:
        """The pool as people write it."""
        return self.pool.display_name

    @property
    def regarding(self) -> ObjectReference:
        """The pool, also of what concerns one of its Pods."""
        return ObjectReference("ProvisionerPool", self.pool.namespace, self.pool.name, self.pool.uid)


@dataclass(frozen=True, slots=True)
class _AboutPoolPod(_AboutPool):
    pod: PoolPod

    @property
    @override
    def subject(self) -> str:
        """The Pod's uid, also of its daemon's cordon: while a Pod is being deleted, nobody may uncordon its daemon."""
        return self.pod.uid

    @property
    @override
    def display_name(self) -> str:
        """The Pod as people write it."""
        return f"{self.pod.namespace}/{self.pod.name}"


@dataclass(frozen=True, slots=True)
class FindPods(_AboutPool):
    """List the Pods of the pool's namespace, before anything is decided by their absence in a new term of leadership."""

    @property
    @override
    def subject(self) -> str:
        """The namespace: one list serves all its pools."""
        return f"Pods of {self.pool.namespace}"


@dataclass(frozen=True, slots=True)
class CreatePod(_AboutPool):
    """Create a Pod of this name; if it exists already, an earlier request succeeded."""

    name: str
    default_image: str

    @property
    @override
    def subject(self) -> str:
        """The pool's uid and the Pod's name: it has no uid yet."""
        return f"{self.pool.uid}/{self.name}"

    @property
    @override
    def display_name(self) -> str:
        """The Pod as people write it."""
        return f"{self.pool.namespace}/{self.name}"

    def body(self) -> JsonObject:
        """Return the Pod."""
        return pod_builder.pod(self.pool, self.name, self.default_image)


@dataclass(frozen=True, slots=True)
class CordonDaemon(_AboutPoolPod):
    """Cordon a daemon that is to be removed, and mark the cordon as the pool's."""

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
class UncordonDaemon(_AboutPoolPod):
    """Uncordon a daemon that is wanted again; only a cordon with the pool's mark is lifted."""

    daemon: PoolDaemon

    def patch(self) -> JsonPatch:
        """Return the patch of the ProvisionerDaemon."""
        return JsonPatch(
            tests=(("/metadata/uid", self.daemon.uid), (_MARK, self.pool.name)),
            removes=(_MARK,),
            sets=(("/spec/cordoned", False),),
        )


@dataclass(frozen=True, slots=True)
class DeletePod(_AboutPoolPod):
    """Delete the Pod by its uid: nothing runs on it and nothing will."""

    grace_seconds: int | None = None
    """Grace period; None for the Pod's own."""


@dataclass(frozen=True, slots=True)
class AddFinalizer(_AboutPool):
    """Add the finalizer that has the pool drained before it goes; before it has any Pod."""

    def patch(self) -> JsonPatch:
        """Return the patch of the ProvisionerPool."""
        return add_finalizer(DRAIN_FINALIZER, self.pool.uid, self.pool.finalizers)


@dataclass(frozen=True, slots=True)
class RemoveFinalizer(_AboutPool):
    """Remove the finalizer of a deleted pool that has no Pod left."""

    def patch(self) -> JsonPatch:
        """Return the patch of the ProvisionerPool."""
        return remove_finalizer(DRAIN_FINALIZER, self.pool.uid, self.pool.finalizers)


@dataclass(frozen=True, slots=True)
class UpdatePoolStatus(_AboutPool):
    """Write the pool's status."""

    status: PoolStatus

    def patch(self) -> JsonPatch:
        """Return the patch of the ProvisionerPool's status."""
        return status_patch(self.pool, self.status)


PoolDecision = (
    FindPods | CreatePod | CordonDaemon | UncordonDaemon | DeletePod | AddFinalizer | RemoveFinalizer | UpdatePoolStatus
)

"""From a Pod to the record of the daemon that it is: what its annotations offer, whether it works, whether it is over.

The rest of `kube.parsing`, for the one kind here that is not ours. A Pod counts as ended only by kubelet's word about its
containers: a phase alone may have been written by the Pod garbage collector, for a node that nobody hears of.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pydantic import AwareDatetime, ValidationError

from provisioner_operator.api.base import Model
from provisioner_operator.api.daemon import DaemonSpec
from provisioner_operator.api.names import (
    CANCEL_GRACE_ANNOTATION,
    CAPACITY_ANNOTATION,
    LOST_AFTER_ANNOTATION,
    PROVISIONERS_ANNOTATION,
    TAG_ANNOTATION_PREFIX,
)
from provisioner_operator.core.records import DaemonPod, Offer
from provisioner_operator.kube.parsing import UnparseableObjectError, explain, offer_of

_PLAIN_FIELDS = {
    CAPACITY_ANNOTATION: "capacity",
    LOST_AFTER_ANNOTATION: "lostAfterSeconds",
    CANCEL_GRACE_ANNOTATION: "cancelGraceSeconds",
}
_FINAL_PHASES = frozenset({"Succeeded", "Failed"})


class _PodMeta(Model):
    name: str
    namespace: str
    uid: str
    resource_version: str = "0"
    annotations: Mapping[str, str] = MappingProxyType({})
    deletion_timestamp: AwareDatetime | None = None


class _Terminated(Model):
    exit_code: int
    reason: str | None = None


class _ContainerState(Model):
    terminated: _Terminated | None = None


class _ContainerStatus(Model):
    state: _ContainerState = _ContainerState()


class _PodCondition(Model):
    type: str
    status: str


class _PodStatus(Model):
    phase: str = "Pending"
    conditions: tuple[_PodCondition, ...] = ()
    container_statuses: tuple[_ContainerStatus, ...] = ()


class _Pod(Model):
    metadata: _PodMeta
    status: _PodStatus = _PodStatus()


def parse_daemon_pod(body: Mapping[str, Any], *, deleted: bool = False) -> DaemonPod:
    """The record of a Pod that is a daemon; `deleted` if this is its object's last version.

    Raises UnparseableObjectError, which names the annotation.
    """
    try:
        pod = _Pod.model_validate(body)
    except ValidationError as error:
        raise UnparseableObjectError(explain(error)) from None
    meta, status = pod.metadata, pod.status
    return DaemonPod(
        namespace=meta.namespace,
        name=meta.name,
        uid=meta.uid,
        resource_version=int(meta.resource_version),
        offer=_offer(meta.annotations),
        ready=any(condition.type == "Ready" and condition.status == "True" for condition in status.conditions),
        deleting=deleted or meta.deletion_timestamp is not None,
        ended=_ending(status, deleted=deleted),
    )


def _offer(annotations: Mapping[str, str]) -> Offer:
    given: dict[str, Any] = {field: annotations[name] for name, field in _PLAIN_FIELDS.items() if name in annotations}
    given["tags"] = {
        name.removeprefix(TAG_ANNOTATION_PREFIX): value
        for name, value in annotations.items()
        if name.startswith(TAG_ANNOTATION_PREFIX)
    }
    if PROVISIONERS_ANNOTATION in annotations:
        given["provisioners"] = [each.strip() for each in annotations[PROVISIONERS_ANNOTATION].split(",")]
    try:
        return offer_of(DaemonSpec.model_validate(given))
    except ValidationError as error:
        raise UnparseableObjectError(f"its annotations: {explain(error)}") from None


def _ending(status: _PodStatus, *, deleted: bool) -> str | None:
    """How the containers ended; None while one may run, or may be started again."""
    ends = [container.state.terminated for container in status.container_statuses]
    known = [end for end in ends if end is not None]
    is_final = deleted or status.phase in _FINAL_PHASES
    if not is_final or not known or len(known) < len(ends):
        return None
    worst = max(known, key=lambda end: end.exit_code != 0)
    return f"{worst.reason or 'Terminated'}, exit code {worst.exit_code}"

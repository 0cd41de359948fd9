"""Parsing of a daemon's Pod into its record: what its annotations offer, whether it is ready, how it ended.

A Pod counts as ended only if kubelet reports the end of the daemon's container: a phase alone may have been written by
the Pod garbage collector, for a node that has lost contact and may still run it. Other containers do not matter, since
an injected sidecar may keep a Pod running whose daemon has ended.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from provisioner_operator.api.v1alpha1.daemon import DaemonSpec
from provisioner_operator.api.v1alpha1.names import (
    CANCEL_GRACE_ANNOTATION,
    CAPACITY_ANNOTATION,
    LOST_AFTER_ANNOTATION,
    PROVISIONERS_ANNOTATION,
    TAG_ANNOTATION_PREFIX,
)
from provisioner_operator.core.model.records import DaemonPod, Offer
from provisioner_operator.kube.parsing import UnparseableObjectError, explain, offer_of
from provisioner_operator.kube.pod_model import Pod, parse_pod, worst

_PLAIN_FIELDS = {
    CAPACITY_ANNOTATION: "capacity",
    LOST_AFTER_ANNOTATION: "lostAfterSeconds",
    CANCEL_GRACE_ANNOTATION: "cancelGraceSeconds",
}


def parse_daemon_pod(body: Mapping[str, Any], *, deleted: bool = False) -> DaemonPod:
    """Parse a Pod that is a daemon into its record; `deleted` if this is the last version of its object.

    Raises UnparseableObjectError, which names the annotation.
    """
    pod = parse_pod(body)
    meta, status = pod.metadata, pod.status
    return DaemonPod(
        namespace=meta.namespace,
        name=meta.name,
        uid=meta.uid,
        resource_version=int(meta.resource_version),
        offer=_offer(meta.annotations),
        ready=status.ready is not None,
        deleting=deleted or meta.deletion_timestamp is not None,
        ended=_ending(pod, deleted=deleted),
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


def _ending(pod: Pod, *, deleted: bool) -> str | None:
    """Describe how the daemon's container ended; None while it may run or may be started again."""
    ends = pod.daemon_ends
    if not ends or not (deleted or pod.restarts_nothing):
        return None
    end = worst(ends)
    return f"{end.reason or 'Terminated'}, exit code {end.exit_code}"

"""Parsing of ProvisionerPools, and of the Pods that they own, into the core's records.

The record of a Pod holds what its pool decides by: its revision, readiness and end, and what keeps it from starting, in
the words of kubelet or the scheduler. Whether its runs have certainly ended is a different question (`pod_parsing`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from provisioner_operator.api.v1alpha1.base import Model
from provisioner_operator.api.v1alpha1.names import POOL_REVISION_LABEL
from provisioner_operator.api.v1alpha1.pod_template import PodTemplate as PodTemplateModel
from provisioner_operator.api.v1alpha1.pool import Autoscaling as AutoscalingModel
from provisioner_operator.api.v1alpha1.pool import PoolStatus as PoolStatusModel
from provisioner_operator.api.v1alpha1.pool import ProvisionerPool
from provisioner_operator.core.model.json_value import JsonObject
from provisioner_operator.core.model.matching import Supply, effective_tags
from provisioner_operator.core.pools.members import UNSCHEDULABLE, PodEnd, PoolPod, Trouble
from provisioner_operator.core.pools.records import Autoscaling, PodTemplate, Pool, PoolStatus
from provisioner_operator.kube.parsing import UnparseableObjectError, as_written, conditions_of, explain
from provisioner_operator.kube.pod_model import FINAL_PHASES, Pod, PodStatus, Terminated, parse_pod, worst

_BEGINNING = frozenset({"ContainerCreating", "PodInitializing"})
"""Reasons of a waiting container that are part of every start."""
_LONGEST_WORDS = 2048
"""Characters kept of a message of another component: a status has to stay readable."""


def parse_pool(body: Mapping[str, Any]) -> Pool:
    """Parse a pool into its record. Raises UnparseableObjectError."""
    try:
        model = ProvisionerPool.model_validate(body)
    except ValidationError as error:
        raise UnparseableObjectError(explain(error)) from None
    meta, spec = model.metadata, model.spec
    return Pool(
        namespace=meta.namespace,
        name=meta.name,
        uid=meta.uid,
        resource_version=int(meta.resource_version),
        generation=meta.generation,
        supply=Supply(meta.namespace, frozenset(spec.provisioners), effective_tags(spec.tags)),
        tags=tuple(sorted(spec.tags.items())),
        capacity=spec.capacity,
        lost_after=spec.lost_after_seconds,
        cancel_grace=spec.cancel_grace_seconds,
        replicas=spec.replicas,
        autoscaling=None if spec.autoscaling is None else _autoscaling(spec.autoscaling),
        max_surge=spec.max_surge,
        template=_template(spec.template),
        finalizers=tuple(meta.finalizers),
        deleting=meta.deletion_timestamp is not None,
        status=_status(model.status),
    )


def _autoscaling(model: AutoscalingModel) -> Autoscaling:
    return Autoscaling(
        max_replicas=model.max_replicas,
        min_replicas=model.min_replicas,
        target_wait=model.target_wait_seconds,
        scale_down_delay=model.scale_down_delay_seconds,
    )


def _template(model: PodTemplateModel) -> PodTemplate:
    return PodTemplate(
        image=model.image,
        service_account=model.service_account_name,
        termination_grace=model.termination_grace_period_seconds,
        resources=None if model.resources is None else as_written(model.resources),
        env=_as_written(model.env),
        env_from=_as_written(model.env_from),
        pass_env=tuple(model.pass_env),
        volumes=_as_written(model.volumes),
        volume_mounts=_as_written(model.volume_mounts),
        image_pull_secrets=_as_written(model.image_pull_secrets),
        node_selector=model.node_selector,
        tolerations=_as_written(model.tolerations),
        affinity=None if model.affinity is None else as_written(model.affinity),
        topology_spread=_as_written(model.topology_spread_constraints),
        priority_class=model.priority_class_name,
        runtime_class=model.runtime_class_name,
        labels=model.pod_labels,
        annotations=model.pod_annotations,
    )


def _as_written(models: Sequence[Model]) -> tuple[JsonObject, ...]:
    return tuple(as_written(each) for each in models)


def _status(model: PoolStatusModel) -> PoolStatus:
    return PoolStatus(
        replicas=model.replicas,
        desired_replicas=model.desired_replicas,
        updated_replicas=model.updated_replicas,
        idle=model.idle,
        busy=model.busy,
        queued=model.queued,
        mean_run_seconds=model.mean_run_seconds,
        start_seconds=tuple(model.start_seconds),
        selector=model.selector,
        observed_generation=model.observed_generation,
        conditions=conditions_of(model.conditions),
    )


def parse_pool_pod(body: Mapping[str, Any]) -> PoolPod | None:
    """Parse a pool's Pod into its record; None for a Pod that no pool made. Raises UnparseableObjectError."""
    pod = parse_pod(body)
    meta, status = pod.metadata, pod.status
    revision = meta.labels.get(POOL_REVISION_LABEL)
    owner = next((each.uid for each in meta.owner_references if each.controller), None)
    if revision is None or owner is None:
        return None
    created = meta.creation_timestamp.timestamp()
    return PoolPod(
        namespace=meta.namespace,
        name=meta.name,
        uid=meta.uid,
        pool_uid=owner,
        revision=revision,
        created=created,
        ready_since=_ready_since(status, created),
        deleting=meta.deletion_timestamp is not None,
        end=_end(pod, created),
        trouble=_trouble(status),
    )


def _ready_since(status: PodStatus, created: float) -> float | None:
    ready = status.ready
    if ready is None:
        return None
    return created if ready.last_transition_time is None else ready.last_transition_time.timestamp()


def _end(pod: Pod, created: float) -> PodEnd | None:
    status = pod.status
    is_final = status.phase in FINAL_PHASES
    ends = status.ends if is_final else pod.daemon_ends
    if not is_final and not (ends and pod.restarts_nothing):
        return None
    started = max((end.started_at.timestamp() for end in ends if end.started_at is not None), default=created)
    finished = max((end.finished_at.timestamp() for end in ends if end.finished_at is not None), default=started)
    end = worst(ends)
    return PodEnd(
        failed=status.phase == "Failed" if is_final else end.exit_code != 0,
        finished=finished,
        ran=max(0.0, finished - started),
        trouble=_why_ended(status, end),
    )


def _why_ended(status: PodStatus, end: Terminated) -> Trouble:
    """Explain the end of a Pod: an evicted Pod has its own reason, any other that of its container."""
    reason = status.reason or end.reason or "PodFailed"
    code = f"exit code {end.exit_code}" if end.exit_code else ""
    return _in_words(reason, status.message or end.message, code)


def _trouble(status: PodStatus) -> Trouble | None:
    """Find what keeps the Pod from starting."""
    for container in status.container_statuses:
        waiting = container.state.waiting
        if waiting is not None and waiting.reason and waiting.reason not in _BEGINNING:
            return _in_words(waiting.reason, waiting.message)
    for condition in status.conditions:
        if condition.type == "PodScheduled" and condition.status == "False":
            return _in_words(condition.reason or UNSCHEDULABLE, condition.message)
    return None


def _in_words(reason: str, *parts: str) -> Trouble:
    said = [part.strip() for part in parts if part.strip()]
    message = ": ".join((reason, ", ".join(said))) if said else reason
    return Trouble(reason, message[:_LONGEST_WORDS])

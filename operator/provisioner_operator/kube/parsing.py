"""Parsing of jobs, daemons and Leases into the core's records; only this layer knows both the API's JSON and the records.

An object that does not fit the models (written under another version's schema) raises UnparseableObjectError, which
names the field: the caller reports it and goes on with the other objects.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, TypedDict, TypeVar

from pydantic import ValidationError

from provisioner_operator.api.v1alpha1.base import Condition as ConditionModel
from provisioner_operator.api.v1alpha1.base import Model
from provisioner_operator.api.v1alpha1.daemon import DaemonSpec, ProvisionerDaemon
from provisioner_operator.api.v1alpha1.enums import BackgroundWork, JobType, Provisioner
from provisioner_operator.api.v1alpha1.job import JobSpec, ProvisionerJob
from provisioner_operator.api.v1alpha1.job_status import JobStatus
from provisioner_operator.api.v1alpha1.names import (
    BUILD_REASON_LABEL,
    CORDONED_BY_ANNOTATION,
    GROUP,
    RESTORED_ANNOTATION,
)
from provisioner_operator.core.leadership import LEASE_SECONDS, Lease
from provisioner_operator.core.model.json_value import JsonObject
from provisioner_operator.core.model.matching import Demand, Supply, Tags, effective_tags
from provisioner_operator.core.model.records import (
    Assignment,
    Condition,
    Daemon,
    Job,
    Offer,
    ReportedRun,
    ReportedState,
    UnreadableObject,
)
from provisioner_operator.kube.object_meta import deletion_of, finalizers_of, object_meta, owner_of, pod_of

_DISTINCT = 8192
"""The number of distinct texts and demands that are interned: most pending jobs share theirs."""

_LONGEST_SHARED = 512
"""Characters of the longest text that is interned: what many objects share is shorter, and the others would only fill memory."""


class UnparseableObjectError(ValueError):
    """The models refuse an object; the message names the field and the reason."""


def unreadable_object(body: Mapping[str, Any]) -> UnreadableObject:
    """Read of an object that fits no model what the API server guarantees, and its owner."""
    meta = object_meta(body)
    return UnreadableObject(
        namespace=meta.namespace,
        name=meta.name,
        uid=meta.uid,
        resource_version=meta.version,
        owner=owner_of(body),
        pod_uid=pod_of(body),
        deleted_at=deletion_of(body),
        finalizers=finalizers_of(body),
    )


def parse_job_model(body: Mapping[str, Any]) -> ProvisionerJob:
    """Parse a whole job, with all that a run needs. Raises UnparseableObjectError."""
    try:
        return ProvisionerJob.model_validate(body)
    except ValidationError as error:
        raise UnparseableObjectError(explain(error)) from None


def parse_job(body: Mapping[str, Any]) -> Job:
    """Parse a job into its record. Raises UnparseableObjectError."""
    return job_record(parse_job_model(body))


def job_record(model: ProvisionerJob) -> Job:
    """Make the record of a job whose model is parsed already."""
    meta, spec, status, workspace = model.metadata, model.spec, model.status, model.spec.workspace_ref
    return Job(
        namespace=shared_text(meta.namespace),
        name=meta.name,
        uid=meta.uid,
        resource_version=int(meta.resource_version),
        generation=meta.generation,
        created=meta.creation_timestamp.timestamp(),
        type=spec.type,
        demand=_demand(meta.namespace, spec.provisioner, effective_tags(spec.tags)),
        transition=spec.transition,
        workspace=workspace.name if workspace else None,
        workspace_owner=shared_text(workspace.owner) if workspace else None,
        builds_workspace=_builds_workspace(spec),
        plan_digest=spec.plan_ref.digest if spec.plan_ref else None,
        **_policy_fields(model),
        priority=spec.priority,
        suspend=spec.suspend,
        cancel=spec.cancel,
        cancel_mode=spec.cancel_mode,
        cancel_reason=spec.cancel_reason,
        canceled_by=spec.canceled_by,
        pending_timeout=spec.pending_timeout_seconds,
        active_deadline=spec.active_deadline_seconds,
        stall_timeout=spec.stall_timeout_seconds,
        ttl=spec.ttl_seconds_after_finished,
        phase=status.phase,
        reason=shared_text(status.reason),
        message=shared_text(status.message),
        conditions=conditions_of(status.conditions),
        assignment=_assignment(status),
        started=seconds_of(status.started_at),
        finished=seconds_of(status.finished_at),
        suspended_at=seconds_of(status.suspended_at),
        suspended_seconds=status.suspended_seconds,
        deleting=meta.deletion_timestamp is not None,
        observed_generation=status.observed_generation,
    )


class _PolicyFields(TypedDict):
    """Fields of a job that only the policy of a queue reads, and its initiator."""

    initiator: str | None
    template: str | None
    labels: frozenset[tuple[str, str]]
    background_reason: BackgroundWork | None
    keeps_plan: bool


def _policy_fields(model: ProvisionerJob) -> _PolicyFields:
    template = model.spec.template_ref
    return {
        "initiator": shared_text(model.spec.initiator),
        "template": shared_text(template.name) if template else None,
        "labels": _own_labels(model.metadata.labels),
        "background_reason": _background_reason(model),
        "keeps_plan": model.spec.keep_plan,
    }


def _own_labels(labels: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    """Return the labels that users chose: few jobs have any, and many may share them."""
    chosen = tuple(sorted(each for each in labels.items() if not each[0].startswith(f"{GROUP}/")))
    return _shared_labels(chosen) if chosen else frozenset()


@lru_cache(maxsize=_DISTINCT)
def _shared_labels(labels: tuple[tuple[str, str], ...]) -> frozenset[tuple[str, str]]:
    return frozenset(labels)


def _background_reason(model: ProvisionerJob) -> BackgroundWork | None:
    if model.spec.type is JobType.TEMPLATE_IMPORT:
        return BackgroundWork.TEMPLATE_IMPORT
    reason = model.metadata.labels.get(BUILD_REASON_LABEL)
    return BackgroundWork(reason) if reason in (BackgroundWork.AUTOSTOP, BackgroundWork.DRIFT) else None


def _builds_workspace(spec: JobSpec) -> bool:
    # Anybody may name the uid in a plan, which is not trusted for it.
    is_plan = spec.type is JobType.WORKSPACE_PLAN
    return not is_plan and spec.workspace_ref is not None and spec.workspace_ref.uid is not None


def _assignment(status: JobStatus) -> Assignment | None:
    given = status.assignment
    if given is None:
        return None
    return Assignment(given.daemon, given.daemon_uid, given.id, given.time.timestamp(), given.instance)


def parse_daemon(body: Mapping[str, Any]) -> Daemon:
    """Parse a daemon into its record. Raises UnparseableObjectError."""
    try:
        model = ProvisionerDaemon.model_validate(body)
    except ValidationError as error:
        raise UnparseableObjectError(explain(error)) from None
    meta, spec, status = model.metadata, model.spec, model.status
    # As written: a time that is parsed and formatted again may differ, and it is only compared for change.
    heartbeat = (body.get("status") or {}).get("lastHeartbeatTime")
    return Daemon(
        namespace=meta.namespace,
        name=meta.name,
        uid=meta.uid,
        resource_version=int(meta.resource_version),
        created=meta.creation_timestamp.timestamp(),
        supply=Supply(meta.namespace, frozenset(spec.provisioners), effective_tags(spec.tags)),
        capacity=spec.capacity,
        cordoned=spec.cordoned,
        # The longer of the two until the daemon has adopted a shorter one: it has to stop its runs before it counts as lost.
        lost_after=max(spec.lost_after_seconds, status.lost_after_seconds or spec.lost_after_seconds),
        cancel_grace=spec.cancel_grace_seconds,
        state=status.state,
        instance=status.instance,
        heartbeat=heartbeat,
        idle_interval=status.idle_heartbeat_seconds,
        runs=frozenset(ReportedRun(job.uid, job.workspace) for job in status.current_jobs),
        unsaved=tuple(ReportedState(each.workspace, each.job, each.message) for each in status.unsaved_states),
        conditions=conditions_of(status.conditions),
        offer=offer_of(spec),
        pod_uid=next((owner.uid for owner in meta.owner_references if owner.kind == "Pod"), None),
        cordoned_by=meta.annotations.get(CORDONED_BY_ANNOTATION),
        annotated=bool(meta.annotations),
        deleting=meta.deletion_timestamp is not None,
        finalizers=tuple(meta.finalizers),
    )


def offer_of(spec: DaemonSpec) -> Offer:
    """Take from a daemon's spec what it offers to jobs."""
    return Offer(
        tags=frozenset(spec.tags.items()),
        provisioners=frozenset(spec.provisioners),
        capacity=spec.capacity,
        lost_after=spec.lost_after_seconds,
        cancel_grace=spec.cancel_grace_seconds,
    )


def lease_record(body: Mapping[str, Any]) -> Lease:
    """Read a Lease. The API server guarantees the types of its fields, but any of them may be absent."""
    spec = body.get("spec") or {}
    return Lease(
        version=object_meta(body).version,
        holder=spec.get("holderIdentity") or None,
        renewed=spec.get("renewTime"),
        seconds=float(spec.get("leaseDurationSeconds") or LEASE_SECONDS),
        transitions=int(spec.get("leaseTransitions") or 0),
        restored=_restored(body["metadata"].get("annotations") or {}),
    )


def _restored(annotations: Mapping[str, Any]) -> float | None:
    """Read the time of the last restore that a controller noticed; None also if somebody has written something else there."""
    try:
        return datetime.fromisoformat(annotations[RESTORED_ANNOTATION]).timestamp()
    except (KeyError, ValueError):
        return None


def conditions_of(models: Sequence[ConditionModel]) -> tuple[Condition, ...]:
    """Make the records of conditions."""
    return tuple(
        Condition(
            shared_text(each.type),
            each.status,
            shared_text(each.reason),
            shared_text(each.message),
            each.last_transition_time.timestamp(),
        )
        for each in models
    )


_Text = TypeVar("_Text", bound=str | None)


def shared_text(text: _Text) -> _Text:
    """Intern a text, unless it is long: equal texts become one object."""
    return text if text is None or len(text) > _LONGEST_SHARED else _interned(text)


@lru_cache(maxsize=_DISTINCT)
def _interned(text: _Text) -> _Text:
    return text


@lru_cache(maxsize=_DISTINCT)
def _demand(namespace: str, provisioner: Provisioner, tags: Tags) -> Demand:
    return Demand(namespace, provisioner, tags)


def seconds_of(moment: datetime | None) -> float | None:
    """Convert a time into seconds since the epoch; None stays None."""
    return None if moment is None else moment.timestamp()


def explain(error: ValidationError) -> str:
    """Describe the first error of a validation, and count the others."""
    first, *others = error.errors()
    where = ".".join(str(part) for part in first["loc"])
    more = f" (and {len(others)} more)" if others else ""
    return f"{where}: {first['msg']}{more}"


def as_written(model: Model) -> JsonObject:
    """Dump a part of an object as the API has it, for values that the core passes on without reading them."""
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)

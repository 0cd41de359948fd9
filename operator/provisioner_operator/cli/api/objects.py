"""Typed records of those parts of an object that commands read without its full model: identity and a few fields.

An object that this version's models refuse can still be listed by name, canceled or cordoned: these records need no
more than the metadata that every object has. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from provisioner_operator.api.v1alpha1.enums import Phase

Body = dict[str, Any]
"""An object of the API as JSON."""


@dataclass(frozen=True, slots=True)
class Owner:
    """One owner reference."""

    kind: str
    uid: str


@dataclass(frozen=True, slots=True)
class ObjectMeta:
    """The identity of an object."""

    name: str
    namespace: str
    uid: str
    resource_version: str
    created: str
    """RFC 3339; empty on an object that is not stored."""
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    owners: tuple[Owner, ...]


@dataclass(frozen=True, slots=True)
class JobState:
    """The progress of a job, and the requests to change it."""

    meta: ObjectMeta
    phase: Phase
    message: str
    suspend: bool
    cancel: bool
    cancel_mode: str | None
    daemon: str | None
    """The daemon that the job is assigned to."""


@dataclass(frozen=True, slots=True)
class DaemonReport:
    """A daemon's own report on its work, which the scheduling rules do not need."""

    meta: ObjectMeta
    cordoned: bool
    version: str
    heartbeat: str
    """RFC 3339; empty before the first one."""
    current_jobs: tuple[str, ...]
    consecutive_failures: int
    failed: int
    completed: int


def meta_of(body: Mapping[str, Any]) -> ObjectMeta:
    """Return the identity of an object."""
    meta = body["metadata"]
    owners = meta.get("ownerReferences") or ()
    return ObjectMeta(
        name=meta["name"],
        namespace=meta.get("namespace") or "",
        uid=meta.get("uid") or "",
        resource_version=meta.get("resourceVersion") or "",
        created=meta.get("creationTimestamp") or "",
        labels=meta.get("labels") or {},
        annotations=meta.get("annotations") or {},
        owners=tuple(Owner(each.get("kind") or "", each.get("uid") or "") for each in owners),
    )


def age_of(body: Mapping[str, Any], now: float) -> float:
    """Return the age of a stored object in seconds."""
    return now - datetime.fromisoformat(meta_of(body).created).timestamp()


def job_state(body: Mapping[str, Any]) -> JobState:
    """Return the progress of a job; one without a status is pending."""
    spec, status = body.get("spec") or {}, body.get("status") or {}
    return JobState(
        meta=meta_of(body),
        phase=Phase(status.get("phase") or Phase.PENDING),
        message=status.get("message") or "",
        suspend=bool(spec.get("suspend")),
        cancel=bool(spec.get("cancel")),
        cancel_mode=spec.get("cancelMode"),
        daemon=(status.get("assignment") or {}).get("daemon"),
    )


def daemon_report(body: Mapping[str, Any]) -> DaemonReport:
    """Return a daemon's report on its work."""
    status = body.get("status") or {}
    return DaemonReport(
        meta=meta_of(body),
        cordoned=bool((body.get("spec") or {}).get("cordoned")),
        version=str(status.get("version") or ""),
        heartbeat=status.get("lastHeartbeatTime") or "",
        current_jobs=tuple(str(each["name"]) for each in status.get("currentJobs") or ()),
        consecutive_failures=int(status.get("consecutiveFailures") or 0),
        failed=int(status.get("failedJobs") or 0),
        completed=int(status.get("completedJobs") or 0),
    )

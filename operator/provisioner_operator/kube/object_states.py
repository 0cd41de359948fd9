"""Read those parts of an object that requests need without its full model: identity and a few fields.

An object that this version's models refuse can still be listed by name, canceled or cordoned: these readers need no more
than the metadata that every object has. Pure; used by the command line and the web server.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.core.daemons.requests import DaemonReport
from provisioner_operator.core.jobs.requests import JobState
from provisioner_operator.core.model.metadata import Metadata, OwnerReference

Body = dict[str, Any]
"""An object of the API as JSON."""


def meta_of(body: Mapping[str, Any]) -> Metadata:
    """Return the metadata of an object."""
    meta = body["metadata"]
    owners = meta.get("ownerReferences") or ()
    return Metadata(
        name=meta["name"],
        namespace=meta.get("namespace") or "",
        uid=meta.get("uid") or "",
        resource_version=meta.get("resourceVersion") or "",
        created=meta.get("creationTimestamp") or "",
        labels=meta.get("labels") or {},
        annotations=meta.get("annotations") or {},
        owners=tuple(OwnerReference(each.get("kind") or "", each.get("uid") or "") for each in owners),
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
        priority=int(spec.get("priority") or 0),
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
        unsaved_states=tuple(str(each["job"]) for each in status.get("unsavedStates") or ()),
    )

"""From an object of the API to its row, and to the record that the queue needs of it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from provisioner_operator.core.jobs.lifecycle import TERMINAL
from provisioner_operator.core.jobs.retry import RETRY_OF
from provisioner_operator.core.model.records import Assignment, Job
from provisioner_operator.kube import wire
from provisioner_operator.kube.object_meta import object_meta
from provisioner_operator.kube.parsing import job_record, parse_job_model
from provisioner_operator.web.index.rows import JobRow, ObjectRow

_DISTINCT = 16384
"""Number of distinct texts of which one copy is kept."""
_LONGEST_MESSAGE = 512
"""Characters that lists show of a job's message."""

_UNLISTED_SPEC = frozenset({"source", "variables", "variablesFrom"})
_UNLISTED_STATUS = frozenset({"conditions", "timings", "outputs", "resources", "variables", "log", "commit"})


def parse_job_row(body: Mapping[str, Any]) -> JobRow:
    """Parse a job into its row. Raises UnparseableObjectError."""
    model = parse_job_model(_listed_part(body))
    spec = model.spec
    template, workspace = spec.template_ref, spec.workspace_ref
    return JobRow(
        job=_slim(job_record(model)),
        template=template.name if template is not None else None,
        template_uid=template.uid if template is not None else None,
        version=template.version if template is not None else None,
        workspace_uid=workspace.uid if workspace is not None else None,
        build_number=workspace.build_number if workspace is not None else None,
        owner_may_cancel=spec.owner_may_cancel,
        stage=model.status.stage,
        retry_of=model.metadata.annotations.get(RETRY_OF),
    )


def _listed_part(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the object without what lists do not show: checking that would take most of the time."""
    spec = {key: value for key, value in body["spec"].items() if key not in _UNLISTED_SPEC}
    status = {key: value for key, value in (body.get("status") or {}).items() if key not in _UNLISTED_STATUS}
    if message := status.get("message"):
        status["message"] = message[:_LONGEST_MESSAGE]
    return {"metadata": body["metadata"], "spec": spec, "status": status}


def _slim(job: Job) -> Job:
    """Drop from an ended job what no list shows."""
    given = job.assignment
    if given is None or job.phase not in TERMINAL:
        return job
    return replace(job, assignment=_assignment_to(given.daemon, given.daemon_uid))


def parse_object_row(body: Mapping[str, Any]) -> ObjectRow:
    """Take an object as it is stored. Raises ValueError or KeyError if it is no object."""
    meta = object_meta(body)
    stored = {**body, "metadata": _without("managedFields", body["metadata"])}
    visible = {
        **body,
        "metadata": _without("resourceVersion", stored["metadata"]),
        "status": _without("lastHeartbeatTime", body.get("status") or {}),
    }
    return ObjectRow(
        namespace=meta.namespace,
        name=meta.name,
        uid=meta.uid,
        resource_version=meta.version,
        created=datetime.fromisoformat(body["metadata"]["creationTimestamp"]).timestamp(),
        # Copied, since the encoded object keeps the room that it was written in.
        data=bytes(memoryview(wire.encode(stored))),
        fingerprint=hash(wire.encode(visible)),
    )


def _without(key: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    return {each: value for each, value in fields.items() if each != key}


@lru_cache(maxsize=_DISTINCT)
def _assignment_to(daemon: str, daemon_uid: str) -> Assignment:
    return Assignment(daemon, daemon_uid, id="", time=0.0)

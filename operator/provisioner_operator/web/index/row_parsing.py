"""From an object of the API to its row, and to the record that the queue needs of it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from provisioner_operator.core.jobs.retry import RETRY_OF
from provisioner_operator.kube import wire
from provisioner_operator.kube.object_meta import object_meta
from provisioner_operator.kube.parsing import job_record, parse_job_model, shared_text
from provisioner_operator.web.index.rows import JobRow, ObjectRow

_LONGEST_MESSAGE = 512
"""Characters that lists show of a job's message."""

# Given as empty, since a model makes a deep copy of each default.
_UNLISTED_SPEC: dict[str, Any] = {"source": None, "variables": [], "variablesFrom": [], "moduleCredentials": []}
_UNLISTED_STATUS: dict[str, Any] = {
    "conditions": [],
    "timings": [],
    "outputs": [],
    "resources": [],
    "variables": [],
    "log": None,
}
_EMPTY_METADATA: dict[str, Any] = {"annotations": {}, "finalizers": [], "ownerReferences": []}


def parse_job_row(body: Mapping[str, Any]) -> JobRow:
    """Parse a job into its row. Raises UnparseableObjectError."""
    model = parse_job_model(_listed_part(body))
    spec = model.spec
    template, workspace = spec.template_ref, spec.workspace_ref
    return JobRow(
        job=job_record(model),
        template=shared_text(template.name) if template is not None else None,
        template_uid=shared_text(template.uid) if template is not None else None,
        version=shared_text(template.version) if template is not None else None,
        workspace_uid=workspace.uid if workspace is not None else None,
        build_number=workspace.build_number if workspace is not None else None,
        owner_may_cancel=spec.owner_may_cancel,
        stage=model.status.stage,
        retry_of=model.metadata.annotations.get(RETRY_OF),
    )


def _listed_part(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the object without what lists do not show: checking that would take most of the time."""
    spec, status = body["spec"] | _UNLISTED_SPEC, (body.get("status") or {}) | _UNLISTED_STATUS
    if message := status.get("message"):
        status["message"] = message[:_LONGEST_MESSAGE]
    return {"metadata": _EMPTY_METADATA | body["metadata"], "spec": spec, "status": status}


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

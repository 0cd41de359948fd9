"""Build the job that repeats an ended one: its manifest and its name. Pure; used by the command line and the web server.

A job that the operator created is repeated by its workspace or template instead (`core.workspaces.retry_by_owner`).
"""

import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from provisioner_operator.api.v1alpha1.job import MAX_JOB_NAME
from provisioner_operator.api.v1alpha1.names import GROUP
from provisioner_operator.core.jobs.lifecycle import TERMINAL
from provisioner_operator.core.jobs.requests import JobState
from provisioner_operator.core.model.metadata import Metadata
from provisioner_operator.core.model.request_errors import Cause, NotPossibleError

RETRY_OF = f"{GROUP}/retry-of"
"""Annotation of a job: the name of the job that it repeats."""
MOST_RETRIES = 100
"""Names that are tried before somebody has to choose one."""
_OF_THE_OLD_JOB = frozenset({"cancel", "cancelReason", "cancelMode", "canceledBy", "suspend", "initiator"})
"""Fields of the spec that record requests to the old job, and its submitter."""
_RETRY = re.compile(r"-retry-(\d+)$")
_KEY_DIGITS = 16
"""Hexadecimal digits of a name that is derived from a key: two keys of one job never meet in practice."""


def require_ended(job: JobState) -> None:
    """Raise NotPossibleError unless the job has ended."""
    if job.phase not in TERMINAL:
        name, phase = job.meta.name, job.phase
        raise NotPossibleError(
            Cause.NOT_ENDED, f"The job {name!r} has not ended: it is {phase}. Cancel it, or wait for its end."
        )


def retry_manifest(body: Mapping[str, Any], meta: Metadata, name: str) -> dict[str, Any]:
    """Return the manifest of a new job with the spec of the old one."""
    spec = {key: value for key, value in body["spec"].items() if key not in _OF_THE_OLD_JOB}
    if "change" in (reference := spec.get("workspaceRef") or {}):
        # Of the controller's checks for drift, which only it makes: repeated, one is a plan like any other.
        spec["workspaceRef"] = {key: value for key, value in reference.items() if key != "change"}
    new_meta: dict[str, Any] = {"name": name, "annotations": {RETRY_OF: meta.name}}
    if meta.labels:
        new_meta["labels"] = meta.labels
    return {"apiVersion": body["apiVersion"], "kind": body["kind"], "metadata": new_meta, "spec": spec}


def retry_names(name: str) -> Iterator[str]:
    """Yield names for retries of this job: `dev-7-retry-1`, or after that one `dev-7-retry-2`, and so on."""
    found = _RETRY.search(name)
    first = int(found[1]) + 1 if found else 1
    stem = name[: found.start()] if found else name
    for number in range(first, first + MOST_RETRIES):
        yield _ended_by(stem, f"-retry-{number}")


def retry_name_for(name: str, uid: str, key: str) -> str:
    """Return the name of the retry that this key asks for: the same key, of the same job, always means the same retry."""
    digest = sha256(f"{uid}\n{key}".encode(errors="surrogatepass")).hexdigest()[:_KEY_DIGITS]
    return _ended_by(_RETRY.sub("", name), f"-retry-k{digest}")


def most_retries(name: str) -> NotPossibleError:
    """Return the error for a job all of whose names for retries are taken."""
    return NotPossibleError(Cause.MOST_RETRIES, f"The job {name!r} has {MOST_RETRIES} retries.")


def _ended_by(stem: str, ending: str) -> str:
    return stem[: MAX_JOB_NAME - len(ending)].rstrip("-.") + ending

"""Compared subjects: the manifest of a job of each controller, the signs of its states, and its cancellation.

They are the product with hollow daemons; batch/v1 Job, whose Pod marks the start and whose suspension is the closest
equivalent of a cancel; and the controller of a plug file (see `plug.example.yaml`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from bench.behavior import VARIABLE, Behavior
from bench.client import Request
from bench.plan import OURS
from bench.stopwatch import Sign
from provisioner_operator.kube import paths
from support.builders.manifests import a_job_manifest

if TYPE_CHECKING:
    from collections.abc import Mapping

JOB = "batch/v1 Job"
RUNNING = "status.phase == 'Running'"
COMPLETED = "status.phase == 'Completed'"
"""JMESPath expressions for jobs of the product."""
NAME = "{name}"
"""Placeholder for the name of a job in its template."""


@dataclass(frozen=True)
class Subject:
    """One controller, as its users see it."""

    name: str
    collection: str
    """Path of its jobs."""
    template: Mapping[str, Any]
    """A job; `{name}` is replaced by its name."""
    accepted: Sign
    cancel: Mapping[str, Any]
    """Merge patch that cancels a job."""
    canceled: Sign
    running: Sign | None = None
    """The run has begun; None if the object does not show it."""
    pids: Mapping[str, int] = field(default_factory=dict)
    """Pids of its running processes, by name."""

    def submission(self, job: str) -> Request:
        """Return the request that creates a job."""
        return Request("POST", self.collection, self._text.replace(NAME, job).encode())

    @cached_property
    def _text(self) -> str:
        return json.dumps(self.template)

    def cancellation(self, job: str) -> Request:
        """Return the request that cancels a job."""
        return Request.merge(f"{self.collection}/{job}", self.cancel)


def provisioner_jobs(
    namespace: str,
    behavior: Behavior,
    *,
    name: str = OURS,
    tags: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    initiator: str | None = None,
    pids: Mapping[str, int] | None = None,
) -> Subject:
    """Return the product's jobs in a namespace, with hollow daemons of this behavior."""
    collection = paths.jobs(namespace)
    variables = [{"name": VARIABLE, "value": behavior}]
    by = {} if initiator is None else {"initiator": initiator}
    manifest = a_job_manifest(NAME, workspaceRef={"name": NAME}, variables=variables, tags=dict(tags or {}), **by)
    manifest["metadata"]["labels"] = dict(labels or {})
    return Subject(
        name=name,
        collection=collection,
        template=manifest,
        accepted=Sign(collection, "status.assignment"),
        running=Sign(collection, RUNNING),
        cancel={"spec": {"cancel": True}},
        canceled=Sign(collection, "status.phase == 'Canceled'"),
        pids=pids or {},
    )


def jobs_without_workspace(namespace: str, behavior: Behavior) -> Subject:
    """Return the product's jobs in a namespace that name no workspace, and so wait for none."""
    builds = provisioner_jobs(namespace, behavior)
    spec = {key: value for key, value in builds.template["spec"].items() if key not in ("workspaceRef", "transition")}
    return replace(builds, template={**builds.template, "spec": spec | {"type": "TemplateDryRun"}})


def batch_jobs(namespace: str, pids: Mapping[str, int]) -> Subject:
    """Return Kubernetes' own Jobs, whose Pods are never scheduled."""
    collection = f"/apis/batch/v1/namespaces/{namespace}/jobs"
    container = {"name": "main", "image": "none", "command": ["true"]}
    pod = {"restartPolicy": "Never", "automountServiceAccountToken": False, "containers": [container]}
    return Subject(
        name=JOB,
        collection=collection,
        template={
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": NAME},
            "spec": {"template": {"spec": pod}},
        },
        accepted=Sign(paths.pods(namespace), "metadata.name", 'metadata.labels."batch.kubernetes.io/job-name"'),
        cancel={"spec": {"suspend": True}},
        canceled=Sign(collection, "status.conditions[?type=='Suspended' && status=='True'] | [0]"),
        pids=pids,
    )

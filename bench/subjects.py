"""What is compared: how a job of each controller is written, how it is seen to be accepted, and how it is canceled.

The product, its daemons hollow; batch/v1 Job, whose Pod stands for the start and whose suspension is the nearest thing to a
cancel; and whatever a plug file describes (see `plug.example.yaml`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from bench.behaviour import VARIABLE, Behaviour
from bench.client import Request
from bench.stopwatch import Sign
from provisioner_operator.kube import paths
from support.builders.manifests import a_job_manifest

if TYPE_CHECKING:
    from collections.abc import Mapping

OURS = "ours"
AGAINST = "against"
JOB = "batch/v1 Job"
RUNNING = "status.phase == 'Running'"
COMPLETED = "status.phase == 'Completed'"
"""Expressions for jobs of the product."""
NAME = "{name}"
"""Where the name of a job goes in its template."""


@dataclass(frozen=True)
class Subject:
    """One controller, as its users see it."""

    name: str
    collection: str
    """The path of its jobs."""
    template: Mapping[str, Any]
    """A job; its name goes wherever `{name}` stands."""
    accepted: Sign
    cancel: Mapping[str, Any]
    """A merge patch of the job."""
    canceled: Sign
    running: Sign | None = None
    """Beyond accepted: whatever runs it has begun; None where nothing tells."""
    pids: Mapping[str, int] = field(default_factory=dict)
    """Its processes by name; they must run."""

    def submission(self, job: str) -> Request:
        """The request that makes a job."""
        return Request("POST", self.collection, self._text.replace(NAME, job).encode())

    @cached_property
    def _text(self) -> str:
        return json.dumps(self.template)

    def cancellation(self, job: str) -> Request:
        """The request that cancels it."""
        return Request.merge(f"{self.collection}/{job}", self.cancel)


def provisioner_jobs(
    namespace: str,
    behaviour: Behaviour,
    *,
    name: str = OURS,
    tags: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    pids: Mapping[str, int] | None = None,
) -> Subject:
    """The product's jobs in a namespace, on hollow daemons that do so with them."""
    collection = paths.jobs(namespace)
    variables = [{"name": VARIABLE, "value": behaviour}]
    manifest = a_job_manifest(NAME, workspaceRef={"name": NAME}, variables=variables, tags=dict(tags or {}))
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


def batch_jobs(namespace: str, pids: Mapping[str, int]) -> Subject:
    """Jobs of Kubernetes' own controller, whose Pods nobody schedules."""
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

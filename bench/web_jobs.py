"""Jobs and daemons of a large cluster, as an API server sends them: each with its files, variables, timings and outputs."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson

from provisioner_operator.api.v1alpha1.names import API_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_PAGE = 100
"""Objects of a page, as many as the web server asks for."""
_BEGIN = 1_800_000_000
_SECONDS_BETWEEN_JOBS = 2
_WORKSPACE_BUILDS = 5
"""Builds of each workspace, on average."""
_TEMPLATES = 50
_USERS = 500
_REGIONS = 8
_FILES = {
    "main.tf": 'variable "size" {\n  type = string\n}\n\nresource "terraform_data" "disk" {\n  input = var.size\n}\n'
    * 6
}

Body = dict[str, Any]


class Population:
    """Jobs of all phases and the daemons that run them; the same for the same numbers."""

    def __init__(self, jobs: int, pending: int, daemons: int, namespaces: int) -> None:
        self.namespaces = [f"team-{number}" for number in range(namespaces)]
        self._jobs = jobs
        self._pending = pending
        self._daemons = daemons
        self._running = min(daemons, jobs - pending)
        self.now = float(_BEGIN + jobs * _SECONDS_BETWEEN_JOBS)

    @property
    def middle(self) -> float:
        """Time before which half of the jobs were created."""
        return _BEGIN + self._jobs * _SECONDS_BETWEEN_JOBS / 2

    def job_pages(self) -> Iterator[bytes]:
        """Yield pages of a list, in the API server's order: by namespace and name."""
        order = list(range(self._jobs))
        random.Random(1).shuffle(order)  # noqa: S311 - names say nothing about the order of creation
        return _pages(self._job(number) for number in order)

    def daemon_pages(self) -> Iterator[bytes]:
        """Yield pages of a list."""
        return _pages(self._daemon(number) for number in range(self._daemons))

    def heartbeats(self) -> Iterator[Body]:
        """Yield a heartbeat of each daemon."""
        return (self._daemon(number, version=1) for number in range(self._daemons))

    def new_jobs(self) -> Iterator[Body]:
        """Yield jobs that are submitted now."""
        return (self._job(self._jobs + number) for number in range(self._jobs))

    def started_jobs(self) -> Iterator[Body]:
        """Yield pending jobs that start, each once for all iterators."""
        while self._pending:
            self._pending -= 1
            number = self._jobs - self._pending - 1
            yield self._job(number, version=2, phase="Running")

    def ended_jobs(self) -> Iterator[Body]:
        """Yield running jobs that end."""
        first = self._jobs - self._pending - self._running
        return (self._job(first + number, version=3, phase="Completed") for number in range(self._running))

    def _phase(self, number: int) -> str:
        if number >= self._jobs - self._pending:
            return "Pending"
        if number >= self._jobs - self._pending - self._running:
            return "Running"
        return ("Completed", "Completed", "Completed", "Failed", "Canceled")[number % 5]

    def _job(self, number: int, version: int = 0, phase: str | None = None) -> Body:
        phase = phase or self._phase(number)
        namespace = self.namespaces[number % len(self.namespaces)]
        workspace = number * 7919 % max(1, self._jobs // _WORKSPACE_BUILDS)
        if phase == "Pending":
            workspace = number
        created = _BEGIN + number * _SECONDS_BETWEEN_JOBS
        metadata = {
            "name": f"ws-{workspace}-{number % 97 + 1}-{number}",
            "namespace": namespace,
            "uid": _uid(number),
            "resourceVersion": str(10_000_000 + number + version * 1_000_000),
            "generation": 1,
            "creationTimestamp": _time(created),
            "labels": {"provisioner.dev/workspace": f"ws-{workspace}"},
            "managedFields": _MANAGED,
        }
        return {
            "apiVersion": API_VERSION,
            "kind": "ProvisionerJob",
            "metadata": metadata,
            "spec": _spec(number, workspace),
            "status": self._status(number, phase, created),
        }

    def _status(self, number: int, phase: str, created: int) -> Body:
        if phase == "Pending":
            return {"phase": phase, "conditions": [_condition("Assigned", "False", created)]}
        daemon = number % max(1, self._daemons)
        status: Body = {
            "phase": phase,
            "assignment": {
                "daemon": f"daemon-{daemon}",
                "daemonUID": _uid(daemon, kind=3),
                "id": _uid(number, kind=4),
                "instance": _uid(daemon, kind=5),
                "time": _time(created + 10),
            },
            "startedAt": _time(created + 11),
            "conditions": [_condition("Assigned", "True", created)],
        }
        if phase == "Running":
            return status
        return status | {
            "finishedAt": _time(created + 70 + number % 60),
            "reason": phase,
            "message": f"The run ended: {phase}.",
            "stage": "apply",
            "conditions": [_condition(each, "True", created) for each in ("Assigned", "Ready", "Stalled")],
            "timings": [
                {"stage": stage, "startedAt": _time(created + 12), "finishedAt": _time(created + 20)}
                for stage in ("fetch", "init", "plan", "apply")
            ],
            "outputs": [{"name": f"output_{each}", "value": "x" * 20} for each in range(3)],
            "resources": [
                {"address": f"terraform_data.disk[{each}]", "type": "terraform_data", "action": "create"}
                for each in range(5)
            ],
            "log": {"configMap": f"log-{number}", "bytes": 12345},
        }

    def _daemon(self, number: int, version: int = 0) -> Body:
        namespace = self.namespaces[number % len(self.namespaces)]
        return {
            "apiVersion": API_VERSION,
            "kind": "ProvisionerDaemon",
            "metadata": {
                "name": f"daemon-{number}",
                "namespace": namespace,
                "uid": _uid(number, kind=3),
                "resourceVersion": str(number + 1 + version * 1_000_000),
                "creationTimestamp": _time(_BEGIN),
                "managedFields": _MANAGED,
            },
            "spec": {
                # One region in eight has no daemons: its jobs are stuck.
                "tags": {
                    "region": f"eu-{number % (_REGIONS - 1)}",
                    "environment": ("on-prem", "cloud")[number // 7 % 2],
                },
                "provisioners": ["terraform"],
                "capacity": 1,
                "lostAfterSeconds": 300,
                "cancelGraceSeconds": 180,
            },
            "status": {
                "state": "Idle",
                "lastHeartbeatTime": _time(self.now - 5 + version),
                "version": "0.1.0",
                "completedJobs": number,
            },
        }


_MANAGED = [
    {
        "manager": "provisioner-operator",
        "operation": "Update",
        "apiVersion": API_VERSION,
        "time": "2027-01-15T08:00:00Z",
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:status": {f"f:field{each}": {} for each in range(12)}},
    }
]


def _condition(kind: str, status: str, time: float) -> Body:
    return {
        "type": kind,
        "status": status,
        "reason": "Because",
        "message": "It is so.",
        "lastTransitionTime": _time(time),
    }


def _pages(bodies: Iterable[Body]) -> Iterator[bytes]:
    page: list[Body] = []
    for body in bodies:
        page.append(body)
        if len(page) == _PAGE:
            yield orjson.dumps(page)
            page = []
    yield orjson.dumps(page)


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _uid(number: int, kind: int = 0) -> str:
    return str(UUID(int=random.Random(number * 8 + kind).getrandbits(128), version=4))  # noqa: S311 - the same each time


def _spec(number: int, workspace: int) -> Body:
    template, user = workspace % _TEMPLATES, workspace % _USERS
    return {
        "type": "WorkspaceBuild",
        "transition": ("Start", "Stop", "Delete")[number % 3],
        "provisioner": "terraform",
        "tags": {"region": f"eu-{workspace % _REGIONS}", "environment": ("on-prem", "cloud")[workspace % 2]},
        "workspaceRef": {
            "name": f"ws-{workspace}",
            "uid": _uid(workspace, kind=1),
            "buildNumber": number % 97 + 1,
            "change": _uid(number, kind=2).replace("-", ""),
            "owner": f"user-{user}@example.com",
        },
        "templateRef": {"name": f"template-{template}", "version": f"template-{template}-{_uid(template)[:8]}"},
        "source": {"inline": {"files": _FILES}},
        "variables": [{"name": f"variable_{each}", "value": f"value-{each}"} for each in range(8)],
        "initiator": f"user-{user}@example.com",
        "priority": 0,
        "suspend": False,
        "cancel": False,
        "ownerMayCancel": True,
        "cancelMode": "Graceful",
        "pendingTimeoutSeconds": 1800,
        "activeDeadlineSeconds": 3600,
        "ttlSecondsAfterFinished": 604800,
    }

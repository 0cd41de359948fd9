"""Jobs and a small API server's worth of objects, made in a line."""

import asyncio
import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from provisioner_operator.daemon.execution.provisioner import Task
from provisioner_operator.kube.errors import ConflictError, NotFoundError
from provisioner_operator.kube.parsing import job_record, parse_job_model


def a_task(name: str = "dev-7", **spec: Any) -> Task:
    """Make a job of namespace acme that a daemon has just acknowledged."""
    model = parse_job_model(
        {
            "metadata": {
                "name": name,
                "namespace": "acme",
                "uid": f"uid-of-{name}",
                "resourceVersion": "7",
                "generation": 1,
                "creationTimestamp": "2026-01-01T00:00:00Z",
            },
            "spec": {"transition": "Start", "workspaceRef": {"name": "dev"}} | spec,
            "status": {"phase": "Running"},
        }
    )
    return Task(job_record(model), model)


def a_job_body(
    name: str = "dev-7",
    *,
    phase: str = "Pending",
    instance: str | None = None,
    uid: str | None = None,
    daemon: str = "d1",
    **spec: Any,
) -> dict[str, Any]:
    """Make the body of a job of namespace acme that is assigned to a daemon; `instance` is the process that took it."""
    assignment = {"daemon": daemon, "daemonUID": f"uid-of-{daemon}", "id": "a1", "time": "2026-01-01T00:00:01Z"}
    if instance is not None:
        assignment["instance"] = instance
    status: dict[str, Any] = {"phase": phase, "assignment": assignment}
    if phase != "Pending":
        status["startedAt"] = "2026-01-01T00:00:02Z"
    return {
        "metadata": {
            "name": name,
            "namespace": "acme",
            "uid": uid or f"uid-of-{name}",
            "resourceVersion": "7",
            "generation": 1,
            "creationTimestamp": "2026-01-01T00:00:00Z",
        },
        "spec": {
            "transition": "Start",
            "provisioner": "echo",
            "workspaceRef": {"name": "dev"},
            "cancel": False,
            "suspend": False,
        }
        | spec,
        "status": status,
    }


def a_daemon_body(
    name: str = "d1", *, uid: str | None = None, status: Mapping[str, Any] | None = None, **spec: Any
) -> dict[str, Any]:
    """Make the body of a daemon of namespace acme; without a status until it has reported."""
    body = {
        "kind": "ProvisionerDaemon",
        "metadata": {
            "name": name,
            "namespace": "acme",
            "uid": uid or f"uid-of-{name}",
            "resourceVersion": "7",
            "creationTimestamp": "2026-01-01T00:00:00Z",
        },
        "spec": spec,
    }
    return body if status is None else body | {"status": dict(status)}


def an_echo_task(**variables: str) -> Task:
    """Make an echo job with these variables."""
    spec: dict[str, Any] = {}
    if "stall" in variables:
        spec["stallTimeoutSeconds"] = int(variables.pop("stall"))
    values = [{"name": name, "value": value} for name, value in variables.items()]
    return a_task(**{"provisioner": "echo", "variables": values} | spec)


def a_secret(**data: str | bytes) -> dict[str, Any]:
    """Make a Secret's body."""
    return {
        "data": {
            key: base64.b64encode(value if isinstance(value, bytes) else value.encode()).decode()
            for key, value in data.items()
        }
    }


async def until(condition: Callable[[], bool]) -> None:
    """Return once the condition holds; the caller sets the deadline."""
    while not condition():  # noqa: ASYNC110 - what is waited for happens in other processes
        await asyncio.sleep(0.005)


class Objects:
    """Objects by path, read and written as on an API server."""

    def __init__(self, objects: Mapping[str, dict[str, Any]] | None = None) -> None:
        self.objects = dict(objects or {})
        self.writes: list[str] = []
        self.failure: Exception | None = None

    async def get(self, path: str, /) -> dict[str, Any]:
        if self.failure is not None:
            raise self.failure
        if path not in self.objects:
            raise NotFoundError(404, f"{path} not found")
        return self.objects[path]

    async def create(self, path: str, body: Mapping[str, Any], /) -> dict[str, Any]:
        self._write("create")
        path = f"{path}/{body['metadata']['name']}"
        if path in self.objects:
            raise ConflictError(409, "exists")
        self.objects[path] = dict(body)
        return self.objects[path]

    async def merge_patch(self, path: str, body: Mapping[str, Any], /) -> dict[str, Any]:
        self._write("patch")
        if path not in self.objects:
            raise NotFoundError(404, "gone")
        self.objects[path] |= body
        return self.objects[path]

    async def delete(self, path: str, /, *, uid: str, resource_version: int | None = None) -> dict[str, Any] | None:
        del uid, resource_version
        self._write("delete")
        del self.objects[path]
        return None

    def _write(self, kind: str) -> None:
        self.writes.append(kind)
        if self.failure is not None:
            raise self.failure


class RememberingConsole:
    """A console that keeps what it is given."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    async def write(self, namespace: str, job: str, stage: str, lines: Sequence[str]) -> None:
        self.lines += [f"{namespace}/{job} {stage}: {line}" for line in lines]

"""Run the controller's reconcilers, loop, writer and recorder in virtual time, with a scripted client and no watches."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import wraps
from inspect import signature
from typing import Any, Concatenate, ParamSpec

import pytest

from provisioner_operator.api.v1alpha1.names import RUNS_FINALIZER
from provisioner_operator.controller import clock
from provisioner_operator.controller.loop import DecisionLoop
from provisioner_operator.controller.observer import Observer
from provisioner_operator.controller.telemetry.events import EventRecorder
from provisioner_operator.controller.telemetry.metrics import Metrics
from provisioner_operator.controller.write_gate import WriteGate
from provisioner_operator.controller.writes.families import families
from provisioner_operator.controller.writes.jobs import JobExecutor
from provisioner_operator.controller.writes.writer import Writer
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.reconcilers.reconcilers import Reconcilers
from provisioner_operator.kube import paths
from support.builders.manifests import (
    a_job_manifest,
    a_pool_manifest,
    a_template_manifest,
    a_workspace_manifest,
)
from support.manifests import Manifest
from support.object_store import ObjectStore
from support.scripted_client import ScriptedClient
from support.virtual_time import virtual_time

Rest = ParamSpec("Rest")

NAMESPACE = "acme"
EPOCH = 1_800_000_000.0


class VirtualController:
    """Controller that leads, and the objects that it observes."""

    def __init__(self, writers: int) -> None:
        self.store = ObjectStore()
        self.client = ScriptedClient(self.store)
        self.client.delay = 0.01
        self.tenure = float("inf")
        self.leads = True
        self.term = 1
        self.restored: float | None = None
        self.reconcilers = Reconcilers.create("image")
        metrics = Metrics(self.reconcilers, lambda: True, lambda: True)
        admission = WriteGate(writers)
        self.recorder = EventRecorder(self.client, metrics, lambda: True, admission)
        self.observer = Observer(self.reconcilers, metrics, self.recorder, lambda: True)
        self.writer = Writer(
            families(self.client, self.observer, self.reconcilers),
            JobExecutor(self.client, self.observer),
            self.observer,
            metrics,
            lambda: self.tenure,
            admission,
            writers,
        )
        self.loop = DecisionLoop(
            self.reconcilers,
            self.observer,
            self.writer,
            metrics,
            lambda: self.term if self.leads else None,
            lambda: self.restored,
        )
        self.metrics = metrics

    # --- what others do ---

    def see(self, body: Manifest) -> Manifest:
        """Let the controller observe the object, as by a watch."""
        observe: dict[str, Callable[[Manifest], object]] = {
            "ProvisionerJob": self.observer.job_watched,
            "ProvisionerDaemon": self.observer.daemon,
            "ProvisionerPool": self.observer.pool,
            "WorkspaceTemplate": self.observer.template,
            "Workspace": self.observer.workspace,
            "Pod": self.observer.pod,
        }
        observe[body["kind"]](body)
        return body

    def edit(self, path: str, **changes: Any) -> Manifest:
        """Change the object as another user, and let the controller observe it."""
        return self.see(self.store.edit(path, **changes))

    def add_job(self, name: str, namespace: str = NAMESPACE, **spec: Any) -> str:
        """Create a job as a user and return its path."""
        spec = {"workspaceRef": {"name": name}} | spec
        self.see(self.store.add(paths.jobs(namespace), a_job_manifest(name, **spec), phase="Pending"))
        return paths.job(namespace, name)

    def add_daemon(self, name: str = "daemon", namespace: str = NAMESPACE, **spec: Any) -> str:
        """Create an idle daemon that has not reported yet, so that no build waits for its reports; return its path."""
        manifest = {
            "apiVersion": "provisioner.dev/v1alpha1",
            "kind": "ProvisionerDaemon",
            "metadata": {"name": name, "finalizers": [RUNS_FINALIZER]},
            "spec": {"provisioners": ["echo"], "lostAfterSeconds": 86_400} | spec,
        }
        body = self.store.add(paths.daemons(namespace), manifest, state="Idle", instance="1")
        self.see(body)
        return paths.daemon(namespace, name)

    def add_template(self, name: str = "template", **spec: Any) -> str:
        """Create a template of one file as an admin and return its path."""
        source = {"source": {"inline": {"files": {"main.tf": "# nothing"}}}}
        self.see(self.store.add(paths.templates(NAMESPACE), a_template_manifest(name, **(source | spec))))
        return paths.template(NAMESPACE, name)

    def add_workspace(self, name: str = "dev", **spec: Any) -> str:
        """Create a workspace as a user and return its path."""
        self.see(self.store.add(paths.workspaces(NAMESPACE), a_workspace_manifest(name, **spec)))
        return paths.workspace(NAMESPACE, name)

    def add_pool(self, name: str = "pool", **spec: Any) -> str:
        """Create a pool as an admin and return its path."""
        self.see(self.store.add(paths.pools(NAMESPACE), a_pool_manifest(name, **spec)))
        return paths.pool(NAMESPACE, name)

    def add_pod(self, name: str = "pod") -> str:
        """Create a Pod that is a daemon and return its path."""
        manifest = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": name,
                "labels": {"provisioner.dev/daemon": "true"},
                "annotations": {"provisioner.dev/provisioners": "echo"},
            },
            "spec": {},
        }
        self.see(self.store.add(paths.pods(NAMESPACE), manifest, phase="Running"))
        return paths.pod(NAMESPACE, name)

    async def make_template_ready(self) -> str:
        """Create a template whose import has completed and return its path."""
        path = self.add_template()
        await asyncio.sleep(5)
        (job,) = (each for each in self.store.objects if "/provisionerjobs/" in each)
        self.complete(job)
        await asyncio.sleep(5)
        return path

    def complete(self, job: str) -> None:
        """Run the job at this path to its end, as a daemon."""
        now = "2027-01-15T08:00:00Z"
        given = {"daemon": "d", "daemonUID": "d", "id": "1", "time": now, "instance": "1"}
        status = {"phase": "Completed", "startedAt": now, "finishedAt": now, "assignment": given, "reason": "Completed"}
        self.edit(job, status=status)

    # --- what is to be seen ---

    def condition(self, path: str, kind: str = "Ready") -> Manifest:
        """Return the object's condition; empty if it has none."""
        conditions = self.store.objects[path]["status"].get("conditions", ())
        return next((dict(each) for each in conditions if each["type"] == kind), {})

    def write_results(self, kind: str) -> dict[str, float]:
        """Return the number of writes of this kind of decision, by result."""
        samples = (sample for metric in self.metrics.registry.collect() for sample in metric.samples)
        return {
            sample.labels["result"]: sample.value
            for sample in samples
            if sample.name == "provisioner_api_writes_total" and sample.labels["kind"] == kind
        }

    def events(self) -> list[Manifest]:
        """Return all Events."""
        return [body for path, body in self.store.objects.items() if "/events/" in path]


def with_controller(
    *, writers: int = 8
) -> Callable[[Callable[Concatenate[VirtualController, Rest], Coroutine[Any, Any, None]]], Callable[Rest, None]]:
    """Turn an asynchronous test into one that runs in virtual time, with a controller as its first argument."""

    def decorated(
        test: Callable[Concatenate[VirtualController, Rest], Coroutine[Any, Any, None]],
    ) -> Callable[Rest, None]:
        @virtual_time
        async def run(*args: Rest.args, **kwargs: Rest.kwargs) -> None:
            async with _running(writers) as controller:
                await test(controller, *args, **kwargs)

        as_seen = signature(test)
        rest = list(as_seen.parameters.values())[1:]
        wraps(test)(run).__signature__ = as_seen.replace(parameters=rest)  # type: ignore[attr-defined] # read by pytest
        return run

    return decorated


@asynccontextmanager
async def _running(writers: int) -> AsyncIterator[VirtualController]:
    """Run a controller until the block ends."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "read", lambda: Instant(EPOCH + loop.time() - began, loop.time()))
        controller = VirtualController(writers)
        tasks = [
            loop.create_task(controller.loop.run()),
            loop.create_task(controller.recorder.run()),
            *(loop.create_task(controller.writer.run()) for _ in range(writers)),
        ]
        try:
            yield controller
            failed = [task.exception() for task in tasks if task.done()]
            assert not failed, failed
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

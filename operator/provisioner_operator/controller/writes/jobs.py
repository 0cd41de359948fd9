"""Carry out decisions about jobs: one conditional write, or one read, each."""

from typing import Any

from provisioner_operator.controller import clock
from provisioner_operator.controller.observer import Observer
from provisioner_operator.controller.writes.answers import Result
from provisioner_operator.controller.writes.executor import has_moved_on, read_fresh, version_of, with_effect
from provisioner_operator.core.jobs.decisions import CheckJob, Expire, JobDecision
from provisioner_operator.kube import paths
from provisioner_operator.kube.client import KubeClient


class JobExecutor:
    """Executor of decisions about jobs."""

    def __init__(self, client: KubeClient, observer: Observer) -> None:
        self._client = client
        self._observer = observer

    async def execute(self, decision: JobDecision) -> Result:
        """Send the write and observe its response. Raises KubeError."""
        job = decision.job
        match decision:
            case CheckJob():
                await self.read(job.namespace, job.name, job.uid)
            case Expire():
                path = paths.job(job.namespace, job.name)
                held_up = await self._client.delete(path, uid=job.uid, resource_version=job.resource_version)
                if held_up is None:
                    self._observer.job_deleted(job.uid)
                else:
                    self._observer.job(held_up)
            case _:
                path = paths.job_status(job.namespace, job.name)
                body = await self._client.json_patch(path, decision.patch(clock.read().wall))
                self._observer.job(with_effect(body, job.resource_version))
        return Result.OK

    async def is_news(self, decision: JobDecision) -> bool:
        """Read the job; return whether the precondition no longer holds for it. Raises KubeError."""
        job = decision.job
        body = await self.read(job.namespace, job.name, job.uid)
        if body is None or isinstance(decision, CheckJob):
            return True
        if isinstance(decision, Expire):
            return version_of(body) != job.resource_version
        return has_moved_on(body, decision.patch(clock.read().wall), job.resource_version)

    async def read(self, namespace: str, name: str, uid: str) -> dict[str, Any] | None:
        """Read and observe the job; None if it is gone. Raises KubeError."""
        return await read_fresh(
            self._client,
            paths.job(namespace, name),
            uid,
            observe=self._observer.job,
            gone=self._observer.job_deleted,
        )

"""The daemon's writes to its jobs, each sent until its fate is certain.

A request whose answer is lost may have been carried out: so a failed precondition is followed by a read, and only what
is read decides. What the patches contain is `core.status_patch`'s business.
"""

import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar

import stamina

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.core.jobs import status_writes
from provisioner_operator.core.jobs.lifecycle import STARTED, TERMINAL
from provisioner_operator.core.jobs.outcome import Outcome
from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.core.model.records import Job
from provisioner_operator.daemon.execution.provisioner import Task
from provisioner_operator.kube import paths
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.errors import (
    PASSING,
    ApiError,
    ConflictError,
    ForbiddenError,
    InvalidError,
    KubeError,
    NotFoundError,
    PreconditionFailedError,
)
from provisioner_operator.kube.parsing import job_record, parse_job, parse_job_model

logger = logging.getLogger(__name__)
T = TypeVar("T")

SLOWEST_RETRY_SECONDS = 5.0


class JobWrites:
    """Writes of one instance of a daemon."""

    def __init__(self, client: KubeClient, instance: str) -> None:
        self._client = client
        self._instance = instance

    async def acknowledge(self, job: Job) -> Task | None:
        """Take the job: from then on it is Running here. None if it is not to be had."""
        patch = status_writes.acknowledge(job, self._instance, time.time())
        try:
            body = await _until_answered(lambda: self._send(job, patch))
        except (PreconditionFailedError, InvalidError, NotFoundError):
            task = await self._read(job)
            return task if task is not None and self._is_running_here(task.job, job) else None
        except ApiError as error:
            remedy = " Grant the daemon patch on provisionerjobs/status." if isinstance(error, ForbiddenError) else ""
            logger.error("Job %s cannot be taken: %s.%s", job.display_name, error, remedy)  # noqa: TRY400
            return None
        return _task(body)

    async def begin_cancel(self, job: Job) -> Job | None:
        """Say that the job's cancel was seen; None if that could not be said, which stops nothing."""
        try:
            return parse_job(await self._send(job, status_writes.begin_cancel(job, time.time())))
        except KubeError as error:
            logger.info("Canceling of job %s is not written: %s", job.display_name, error)
            return None

    async def finish(self, job: Job, outcome: Outcome) -> Phase | None:
        """Write how the run ended and return the phase that the job then has; None if it is not ours any more."""
        while True:
            try:
                return await self._try_finish(job, outcome)
            except InvalidError as error:
                if not (outcome.outputs or outcome.resources or outcome.timings):
                    logger.error("The end of job %s cannot be written: %s", job.display_name, error)  # noqa: TRY400
                    return None
                logger.warning("The end of job %s is written without details: %s", job.display_name, error)
                outcome = replace(outcome, outputs=(), resources=(), timings=())
            except (PreconditionFailedError, NotFoundError):
                task = await self._read(job)
                if task is None or not self._is_running_here(task.job, job):
                    ended = task is not None and task.job.phase in TERMINAL
                    return task.job.phase if task is not None and ended else None
                job = task.job

    async def _try_finish(self, job: Job, outcome: Outcome) -> Phase:
        if outcome.phase is Phase.CANCELED and job.phase is Phase.RUNNING:
            canceling = status_writes.begin_cancel(job, time.time())
            job = parse_job(await _until_answered(lambda: self._send(job, canceling), also_forbidden=True))
        patch = status_writes.finish(job, outcome, time.time())
        await _until_answered(lambda: self._send(job, patch), also_forbidden=True)
        return outcome.phase

    async def _send(self, job: Job, patch: JsonPatch) -> dict[str, Any]:
        return await self._client.json_patch(paths.job_status(job.namespace, job.name), patch)

    async def _read(self, job: Job) -> Task | None:
        try:
            body = await _until_answered(
                lambda: self._client.get(paths.job(job.namespace, job.name)), also_forbidden=True
            )
        except NotFoundError:
            return None
        return _task(body)

    def _is_running_here(self, found: Job, job: Job) -> bool:
        given, wanted = found.assignment, job.assignment
        return (
            found.uid == job.uid
            and found.phase in STARTED
            and given is not None
            and wanted is not None
            and given.id == wanted.id
            and given.instance == self._instance
        )


def _task(body: dict[str, Any]) -> Task:
    model = parse_job_model(body)
    return Task(job_record(model), model)


async def _until_answered(request: Callable[[], Awaitable[T]], *, also_forbidden: bool = False) -> T:
    """Repeat the request until the API server says yes or no; a right that is missing may still be granted."""
    retried = (*PASSING, ConflictError, ForbiddenError) if also_forbidden else (*PASSING, ConflictError)
    async for attempt in stamina.retry_context(on=retried, attempts=None, timeout=None, wait_max=SLOWEST_RETRY_SECONDS):
        with attempt:
            return await request()
    raise AssertionError("stamina yields at least one attempt")

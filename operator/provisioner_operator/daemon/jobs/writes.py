"""Write the status of the daemon's jobs, and repeat each request until its outcome is certain. Used by `held_job`.

A request whose answer is lost may have been carried out. So a failed precondition is followed by a fresh read, and only
that decides. The content of the patches is defined in `core.jobs.status_writes`.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.core.jobs import status_writes
from provisioner_operator.core.jobs.lifecycle import STARTED, TERMINAL, IllegalTransitionError
from provisioner_operator.core.jobs.outcome import Outcome
from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.core.model.records import Job
from provisioner_operator.daemon.execution.provisioner import Task
from provisioner_operator.daemon.jobs.reduced_outcome import reduced
from provisioner_operator.daemon.retrying import SLOWEST_RETRY_SECONDS, until_answered
from provisioner_operator.kube import paths
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.errors import (
    PASSING,
    ApiError,
    ConflictError,
    DeniedError,
    ForbiddenError,
    InternalError,
    InvalidError,
    KubeError,
    NotFoundError,
    PreconditionFailedError,
)
from provisioner_operator.kube.parsing import job_record, parse_job, parse_job_model

logger = logging.getLogger(__name__)

_MAY_BE_GRANTED = (ConflictError, DeniedError, ForbiddenError)
"""Refusals that are retried where the job has started: nobody else can write its end, and an admin may still allow it."""


_MAY_PASS = (*PASSING, *_MAY_BE_GRANTED)
WHOLE_OUTCOME_TRIES = 16
"""Tries (a minute) after which a failure of the API server (500) may lie in an outcome's details: one without them tells."""


class JobWrites:
    """The status writes of one instance of a daemon."""

    def __init__(
        self, client: KubeClient, instance: str, on_end: Callable[[Mapping[str, Any]], None] | None = None
    ) -> None:
        """Take what is called with each job whose end is written."""
        self._client = client
        self._instance = instance
        self._on_end = on_end

    async def acknowledge(self, job: Job) -> Task | None:
        """Set the job Running here and return it; None if it cannot be taken."""
        patch = status_writes.acknowledge(job, self._instance, time.time())
        try:
            body = await until_answered(lambda: self._send(job, patch), also=(ConflictError,))
        except (PreconditionFailedError, InvalidError, NotFoundError):
            task = await self._read_fresh(job)
            return task if task is not None and self._is_running_here(task.job, job) else None
        except ApiError as error:
            remedy = " Grant the daemon patch on provisionerjobs/status." if isinstance(error, ForbiddenError) else ""
            logger.error("Cannot take job %s: %s.%s", job.display_name, error, remedy)  # noqa: TRY400
            return None
        return _task(body)

    async def begin_cancel(self, job: Job) -> Job | None:
        """Set the job Canceling and return it; None if that failed, which does not keep the run from being stopped."""
        try:
            return parse_job(await self._send(job, status_writes.begin_cancel(job, time.time())))
        except KubeError as error:
            logger.info("Cannot set job %s Canceling: %s", job.display_name, error)
            return None

    async def finish(self, job: Job, outcome: Outcome) -> Phase | None:
        """Write the outcome and return the phase that the job then has; None if the job is no longer this instance's."""
        refusals = 0
        while True:
            try:
                return await self._try_finish(job, outcome)
            except _MAY_PASS as error:
                # All details are in the next try too, unless it is they that the API server fails to store.
                less = reduced(outcome, str(error))
                if isinstance(error, InternalError) and less is not None and await self._finishes(job, less):
                    logger.warning("Wrote the end of job %s without its details: %s", job.display_name, error)
                    return less.phase
            except (PreconditionFailedError, NotFoundError):
                task = await self._read_fresh(job)
                if task is None:
                    return None
                if not self._is_running_here(task.job, job):
                    # Perhaps by this very request, whose answer was lost.
                    return task.job.phase if task.job.phase in TERMINAL else None
                # At once after the first refusal: another writer, perhaps a user who cancels, changed the job meanwhile. A
                # repeated refusal has another cause, which may last.
                await asyncio.sleep(min(refusals, SLOWEST_RETRY_SECONDS))
                refusals += 1
                job = task.job
            except ApiError as error:
                smaller = reduced(outcome, str(error))
                if smaller is None:
                    logger.error("Cannot write the end of job %s: %s", job.display_name, error)  # noqa: TRY400
                    return None
                logger.warning("Writing the end of job %s with less in it: %s", job.display_name, error)
                outcome = smaller

    async def _finishes(self, job: Job, outcome: Outcome) -> bool:
        """Send the outcome once and return whether that ended the job."""
        try:
            self._ended(await self._send(job, status_writes.finish(job, outcome, time.time())))
        except (KubeError, IllegalTransitionError):
            return False
        return True

    async def _try_finish(self, job: Job, outcome: Outcome) -> Phase:
        patch = status_writes.finish(job, outcome, time.time())
        tries = None if reduced(outcome, "") is None else WHOLE_OUTCOME_TRIES
        self._ended(await until_answered(lambda: self._send(job, patch), also=_MAY_BE_GRANTED, attempts=tries))
        return outcome.phase

    def _ended(self, body: Mapping[str, Any]) -> None:
        if self._on_end is not None:
            self._on_end(body)

    async def _send(self, job: Job, patch: JsonPatch) -> dict[str, Any]:
        return await self._client.json_patch(paths.job_status(job.namespace, job.name), patch)

    async def _read_fresh(self, job: Job) -> Task | None:
        path = paths.job(job.namespace, job.name)
        try:
            body = await until_answered(lambda: self._client.get(path), also=_MAY_BE_GRANTED)
        except NotFoundError:
            return None
        task = _task(body)
        if task.job.uid == job.uid and task.job.phase in TERMINAL:
            self._ended(body)
        return task

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

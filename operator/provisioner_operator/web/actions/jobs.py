"""Cancel, suspend, resume and prioritize jobs."""

import asyncio
from collections.abc import Sequence

from provisioner_operator.core.jobs.lifecycle import STARTED
from provisioner_operator.core.jobs.requests import CancelRequest, cancel_patch, priority_patch, suspend_patch
from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.kube import paths
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.errors import KubeError
from provisioner_operator.kube.object_states import Body, job_state
from provisioner_operator.web.actions.change import change
from provisioner_operator.web.actions.outcome import Outcome
from provisioner_operator.web.actions.target import Target

MOST_AT_ONCE = 8
"""Requests of one bulk action that are sent at the same time: the user shares the API server with others."""


async def cancel(client: KubeClient, job: Target, request: CancelRequest) -> Outcome:
    """Request the cancellation of a job, in the expected phase only if there is one."""

    def describe(before: Body) -> str:
        if job_state(before).phase not in STARTED:
            return "Cancel requested. It had not started."
        return f"Cancel requested. Its run is being {'killed' if request.force else 'interrupted'}."

    path = paths.job(job.namespace, job.name)
    return await change(client, path, job, lambda body: cancel_patch(job_state(body), request), describe)


async def cancel_all(client: KubeClient, jobs: Sequence[Target], request: CancelRequest) -> list[Outcome | KubeError]:
    """Request the cancellation of several jobs; returns the outcome of each, or the error that the API server answered."""
    places = asyncio.Semaphore(MOST_AT_ONCE)

    async def cancel_one(job: Target) -> Outcome | KubeError:
        async with places:
            try:
                return await cancel(client, job, request)
            except KubeError as error:
                return error

    return await asyncio.gather(*map(cancel_one, jobs))


async def suspend(client: KubeClient, job: Target) -> Outcome:
    """Hold a pending job back from the queue."""
    return await _set_suspended(client, job, suspended=True)


async def resume(client: KubeClient, job: Target) -> Outcome:
    """Return a suspended job to the queue."""
    return await _set_suspended(client, job, suspended=False)


async def set_priority(client: KubeClient, job: Target, priority: int) -> Outcome:
    """Set the priority of a pending job."""
    path = paths.job(job.namespace, job.name)
    said = f"It has priority {priority} now."
    return await change(client, path, job, lambda body: priority_patch(job_state(body), priority), lambda _: said)


async def _set_suspended(client: KubeClient, job: Target, *, suspended: bool) -> Outcome:
    path = paths.job(job.namespace, job.name)
    said = "It is suspended." if suspended else "It waits in the queue again."

    def decide(body: Body) -> JsonPatch:
        return suspend_patch(job_state(body), suspended=suspended)

    return await change(client, path, job, decide, lambda _: said)

"""Follow the log of a job to the end of its run: live from the daemon's Pod, else as its archive grows.

One request stays open for each reader; whoever asks says when the job may have ended.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from typing import Any, TypeVar

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.core.jobs.lifecycle import TERMINAL
from provisioner_operator.core.views.log_lines import Line
from provisioner_operator.kube import paths
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.errors import ForbiddenError, KubeError, NotFoundError, UnreachableError
from provisioner_operator.kube.object_states import Body, job_state, meta_of
from provisioner_operator.web.actions.target import Target, read_target
from provisioner_operator.web.logs.archive import archive_versions, latest_archive
from provisioner_operator.web.logs.job_changes import JobChanges
from provisioner_operator.web.logs.lines import LogLine, Progress
from provisioner_operator.web.logs.object_versions import RETRY_SECONDS
from provisioner_operator.web.logs.pod_log import follow_pod_log, pod_of, printed_lines

_Item = TypeVar("_Item")


async def follow_log(
    client: KubeClient, job: Target, changed: JobChanges, after: int = 0
) -> AsyncGenerator[LogLine, None]:
    """Yield the lines after that number, and each further one as it comes; ends when the run has ended.

    Waits for the start of a pending job. Raises the error of a request that the API server refuses.
    """
    first = await read_target(client, paths.job(job.namespace, job.name), job)
    body = await _await_job(client, job, first, lambda phase: phase is not Phase.PENDING, changed)
    started = "" if body is None else (body.get("status") or {}).get("startedAt") or ""
    if body is None or not started:
        return
    progress = Progress(after, time=started)
    if job_state(body).phase not in TERMINAL:
        ended = asyncio.ensure_future(_await_job(client, job, body, lambda phase: phase in TERMINAL, changed))
        try:
            async with aclosing(_until(ended, _growing(client, job, body, progress))) as lines:
                async for line in lines:
                    yield line
            await ended
        finally:
            await _canceled(ended)
    async with aclosing(_rest(client, job, body, progress)) as lines:
        async for line in lines:
            yield line


async def _await_job(
    client: KubeClient, job: Target, body: Body | None, is_awaited: Callable[[Phase], bool], changed: JobChanges
) -> Body | None:
    """Wait for a phase of the job, and return the job then; None if it is gone. It is read with the user's own client."""
    while body is not None and not is_awaited(job_state(body).phase):
        version = int(meta_of(body).resource_version)
        await changed(job.uid, version)
        body = await _present(client, job)
        if body is not None and int(meta_of(body).resource_version) < version:
            # After a restore of etcd, the index knows for a while a version that is no more.
            await asyncio.sleep(RETRY_SECONDS)
    return body


async def _present(client: KubeClient, job: Target) -> Body | None:
    """Return the job as it is, through outages; None if it is gone."""
    while True:
        try:
            return await read_target(client, paths.job(job.namespace, job.name), job)
        except NotFoundError:
            return None
        except UnreachableError:
            await asyncio.sleep(RETRY_SECONDS)


async def _growing(client: KubeClient, job: Target, body: Body, progress: Progress) -> AsyncGenerator[LogLine, None]:
    """Yield lines as they come, from the daemon's Pod if it can be read there. Ends never."""
    with suppress(KubeError):  # the Pod is gone, or the user may not read its output
        pod = await pod_of(client, body)
        if pod is not None:
            async with aclosing(_new(follow_pod_log(client, job, pod), progress)) as output:
                async for line in output:
                    yield line
    async with aclosing(archive_versions(client, job)) as versions:
        async for lines in versions:
            for each in progress.add_rest(lines):
                yield each


async def _new(output: AsyncGenerator[Line, None], progress: Progress) -> AsyncGenerator[LogLine, None]:
    """Yield those of all lines of the run that the reader does not have."""
    position = 0
    async with aclosing(output):
        async for line in output:
            position += 1
            if position > progress.number:
                yield progress.add(line)
            else:
                progress.pass_over(line)


async def _rest(client: KubeClient, job: Target, body: Body, progress: Progress) -> AsyncGenerator[LogLine, None]:
    """Yield the lines that the reader of an ended run does not have.

    The archive is complete before the job's end is written. The Pod has what could not be archived.
    """
    refusal: ForbiddenError | None = None
    try:
        archived = await latest_archive(client, job)
    except ForbiddenError as error:
        archived, refusal = None, error
    if archived is not None:
        for each in progress.add_rest(archived):
            yield each
        return
    with suppress(KubeError):
        pod = await pod_of(client, body)
        if pod is not None:
            async with aclosing(_new(printed_lines(client, job, pod), progress)) as output:
                async for line in output:
                    yield line
            return
    if refusal is not None:
        raise refusal


async def _until(ended: "asyncio.Future[Any]", items: AsyncGenerator[_Item, None]) -> AsyncGenerator[_Item, None]:
    """Yield the items that come before the future is done."""
    async with aclosing(items):
        while not ended.done():
            following = asyncio.ensure_future(anext(items))
            try:
                await asyncio.wait((ended, following), return_when=asyncio.FIRST_COMPLETED)
                if following.done():
                    yield following.result()
            finally:
                await _canceled(following)


async def _canceled(task: "asyncio.Future[Any]") -> None:
    if not task.done():
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

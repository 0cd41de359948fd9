"""Read a log from the daemon's Pod: the daemon prints the lines of its jobs, as JSON, to its own output."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from provisioner_operator.core.views.log_lines import Line, in_seconds, parse_console
from provisioner_operator.kube import paths
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.errors import ApiError, NotFoundError, UnreachableError
from provisioner_operator.kube.object_states import Body, meta_of
from provisioner_operator.web.actions.target import Target

CONTAINER = "daemon"
"""Container of the daemon in a Pod that has several."""
MOST_BYTES = 64 * 1024 * 1024
"""Bytes of a Pod's output that are read at once: several times the size at which kubelet begins another file."""
RETRY_SECONDS = 1.0
"""Pause before a stream that broke is opened again."""


@dataclass(frozen=True, slots=True)
class DaemonPod:
    """The Pod in which a job runs."""

    name: str
    started: str
    """Start of the run, RFC 3339."""


async def pod_of(client: KubeClient, job: Body) -> DaemonPod | None:
    """Return the Pod in which a started job runs; None if its daemon is no Pod, or is gone."""
    status = job.get("status") or {}
    daemon, started = (status.get("assignment") or {}).get("daemon"), status.get("startedAt")
    if not daemon or not started:
        return None
    try:
        body = await client.get(paths.daemon(meta_of(job).namespace, daemon))
    except NotFoundError:
        return None
    is_pod = any(owner.kind == "Pod" for owner in meta_of(body).owners)
    return DaemonPod(daemon, in_seconds(datetime.fromisoformat(started))) if is_pod else None


async def printed_lines(client: KubeClient, job: Target, pod: DaemonPod) -> AsyncGenerator[Line, None]:
    """Yield the lines of the job that the daemon in its Pod has printed so far. Raises KubeError if they cannot be read."""
    parameters = {"sinceTime": pod.started, "limitBytes": str(MOST_BYTES)}
    async with aclosing(_output(client, job, pod, **parameters)) as output:
        async for _, line in output:
            if line is not None:
                yield line


async def follow_pod_log(client: KubeClient, job: Target, pod: DaemonPod) -> AsyncGenerator[Line, None]:
    """Yield the lines of the job from the start of its run, as the daemon prints them.

    Ends never, since the daemon outlives the job: the caller has to learn the end of the run elsewhere. Raises the error of
    a request that the API server refuses, such as when the Pod is gone.
    """
    seen = ""
    while True:
        try:
            async with aclosing(_output(client, job, pod, sinceTime=seen or pod.started, follow="true")) as output:
                async for at, line in output:
                    if at > seen:  # sinceTime has whole seconds: the output of the last one is repeated
                        seen = at
                        if line is not None:
                            yield line
        except UnreachableError:
            pass  # the daemon was quiet, or the connection broke
        await asyncio.sleep(RETRY_SECONDS)


async def _output(
    client: KubeClient, job: Target, pod: DaemonPod, **parameters: str
) -> AsyncGenerator[tuple[str, Line | None], None]:
    """Yield the time of each line of the daemon's output, and the line if it is of this job."""
    path = f"{paths.pod(job.namespace, pod.name)}/log"
    async with aclosing(_container_output(client, path, parameters)) as output:
        async for text in output:
            at, _, rest = text.partition(" ")
            yield at, parse_console(rest, job.namespace, job.name)


async def _container_output(client: KubeClient, path: str, parameters: dict[str, str]) -> AsyncGenerator[str, None]:
    """Yield the output of the only container, or of that which has the daemon's name."""
    query = {"timestamps": "true", **parameters}
    try:
        async with aclosing(client.lines(path, query)) as output:
            async for text in output:
                yield text
    except ApiError as error:
        # "A container name must be specified": the Pod has several.
        if error.status != HTTPStatus.BAD_REQUEST:
            raise
        async with aclosing(client.lines(path, {**query, "container": CONTAINER})) as output:
            async for text in output:
                yield text

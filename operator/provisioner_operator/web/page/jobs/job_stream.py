"""The live stream of one job's page."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from provisioner_operator.kube import paths as kube_paths
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.errors import NotFoundError, UnreachableError
from provisioner_operator.web.context import WebContext
from provisioner_operator.web.event_stream import PING, PING_SECONDS, RETRY, event_bytes
from provisioner_operator.web.page import paths
from provisioner_operator.web.page.chrome import stale_since
from provisioner_operator.web.page.jobs.job_page import render_job
from provisioner_operator.web.page.jobs.listing import queue_facts
from provisioner_operator.web.page.jobs.rights import JobRights
from provisioner_operator.web.page.live_views import ViewClock
from provisioner_operator.web.page.rendering import render


async def job_events(
    context: WebContext, client: KubeClient, org: str, name: str, rights: JobRights, *, sees_daemons: bool
) -> AsyncIterator[bytes]:
    """Read the job again whenever the index shows a change of it or of its wait, or that the API server is away or back.

    A ping comes from time to time, not at each change: that would tell of changes in foreign namespaces.
    """
    loop = asyncio.get_running_loop()
    sent = loop.time()
    seen: object = object()
    body: Mapping[str, Any] | None = None
    yield RETRY
    async for _ in ViewClock(context.index).ticks():
        state = _state(context, org, name)
        if state == seen:
            if loop.time() - sent >= PING_SECONDS:
                sent = loop.time()
                yield PING
            continue
        seen, sent = state, loop.time()
        try:
            body = await client.get(kube_paths.job(org, name))
        except NotFoundError:
            yield event_bytes("view", render("jobs/gone.html", name=name, back=paths.jobs(org)))
            continue
        except UnreachableError:
            seen = object()  # It is read again at the next tick; until then, what was read last is shown as old.
        if body is None:
            yield PING
        else:
            yield event_bytes("view", render_job(context.index, body, rights, sees_daemons=sees_daemons))


def _state(context: WebContext, org: str, name: str) -> object:
    index = context.index
    is_away = stale_since(index) is not None
    row = index.jobs.named(org, name)
    if row is None:
        return is_away
    return is_away, row.job.resource_version, queue_facts(index, row), index.queue.explain(row.job)

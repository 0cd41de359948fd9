"""Read the archive of a log: a ConfigMap that the daemon updates at growing intervals, and at the end of the run."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from provisioner_operator.api.v1alpha1.names import log_archive_name
from provisioner_operator.core.views.log_lines import ARCHIVE_KEY, Line, is_archive_of, parse_archived
from provisioner_operator.kube import paths
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.errors import NotFoundError
from provisioner_operator.kube.object_states import Body, meta_of
from provisioner_operator.web.actions.target import Target
from provisioner_operator.web.logs.object_versions import object_versions


async def read_archive(client: KubeClient, job: Target) -> list[Line] | None:
    """Return the archived lines of this very job, not of an earlier one of its name; None if there is no archive."""
    try:
        body = await client.get(paths.config_map(job.namespace, log_archive_name(job.name)))
    except NotFoundError:
        return None
    return _lines(body, job)


async def archive_versions(client: KubeClient, job: Target) -> AsyncGenerator[list[Line], None]:
    """Yield all archived lines, and again whenever the daemon has updated the archive. Ends never."""
    collection, name = paths.config_maps(job.namespace), log_archive_name(job.name)
    async with aclosing(object_versions(client, collection, name)) as versions:
        async for body in versions:
            lines = None if body is None else _lines(body, job)
            if lines is not None:
                yield lines


async def latest_archive(client: KubeClient, job: Target) -> list[Line] | None:
    """Return what `read_archive` does, through outages."""
    collection, name = paths.config_maps(job.namespace), log_archive_name(job.name)
    async with aclosing(object_versions(client, collection, name)) as versions:
        body = await anext(versions)
    return None if body is None else _lines(body, job)


def _lines(body: Body, job: Target) -> list[Line] | None:
    if not is_archive_of(meta_of(body), job.name, job.uid):
        return None
    return list(parse_archived((body.get("data") or {}).get(ARCHIVE_KEY) or ""))

"""The daemon's own jobs as the API server has them: listed, then watched, listed again when the watch is lost.

Only jobs assigned to this daemon and not yet over arrive, so a job that is missing is over, deleted or another's. Run by
`agent`, which is told of every change.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

import stamina

from provisioner_operator.core.lifecycle import TERMINAL
from provisioner_operator.core.records import Job
from provisioner_operator.kube import paths
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.errors import ForbiddenError, KubeError
from provisioner_operator.kube.parsing import UnparseableObjectError, parse_job

logger = logging.getLogger(__name__)

SLOWEST_RETRY_SECONDS = 5.0


def own_jobs_selector(daemon: str) -> str:
    """Return the field selector of a daemon's live jobs."""
    return ",".join((f"status.assignment.daemon={daemon}", *(f"status.phase!={phase}" for phase in sorted(TERMINAL))))


SHORTEST_WATCH_SECONDS = 1.0
"""No two watches begin within this time, however soon the first ends."""


class JobFeed:
    """A mirror of the daemon's live jobs, by uid."""

    def __init__(self, client: KubeClient, *, namespace: str, daemon: str, on_change: Callable[[], None]) -> None:
        self._client = client
        self._path = paths.jobs(namespace)
        self._selector = own_jobs_selector(daemon)
        self._on_change = on_change
        self._jobs: dict[str, Job] = {}

    @property
    def jobs(self) -> Mapping[str, Job]:
        """The jobs as known now."""
        return self._jobs

    def forget(self, uid: str) -> None:
        """The job is over."""
        self._jobs.pop(uid, None)

    async def follow(self) -> None:
        """Keep the mirror current until cancelled."""
        while True:
            async for attempt in stamina.retry_context(
                on=KubeError, attempts=None, timeout=None, wait_max=SLOWEST_RETRY_SECONDS
            ):
                with attempt:
                    version = await self._list()
            try:
                while True:
                    began = time.monotonic()
                    version = await self._watch(version)
                    # A watch that is closed at once must not be opened again at once, over and over.
                    await asyncio.sleep(max(SHORTEST_WATCH_SECONDS - (time.monotonic() - began), 0))
            except KubeError as error:
                logger.info("Listing the daemon's jobs again: %s", error)
                await asyncio.sleep(SHORTEST_WATCH_SECONDS)

    async def _list(self) -> str:
        found: dict[str, Job] = {}
        version = ""
        try:
            async for page in self._client.list_pages(self._path, field_selector=self._selector):
                version = page["metadata"]["resourceVersion"]
                for body in page["items"]:
                    if (job := self._parse(body)) is not None:
                        found[job.uid] = job
        except ForbiddenError as error:
            logger.error("The daemon may not list its jobs: %s. Grant it list and watch on provisionerjobs.", error)  # noqa: TRY400
            raise
        for uid, job in found.items():
            known = self._jobs.get(uid)
            if known is not None and known.resource_version > job.resource_version:
                found[uid] = known
        self._jobs = found
        self._on_change()
        return version

    async def _watch(self, version: str) -> str:
        async for kind, body in self._client.watch(self._path, resource_version=version, field_selector=self._selector):
            version = body["metadata"]["resourceVersion"]
            if kind == "DELETED":
                if self._jobs.pop(body["metadata"]["uid"], None) is not None:
                    self._on_change()
            elif kind != "BOOKMARK" and (job := self._parse(body)) is not None:
                known = self._jobs.get(job.uid)
                if known is None or job.resource_version > known.resource_version:
                    self._store(job)
        return version

    def _store(self, job: Job) -> None:
        self._jobs[job.uid] = job
        self._on_change()

    def _parse(self, body: Mapping[str, Any]) -> Job | None:
        try:
            return parse_job(body)
        except UnparseableObjectError as error:
            meta = body.get("metadata") or {}
            logger.error("Job %s/%s is not understood: %s", meta.get("namespace"), meta.get("name"), error)  # noqa: TRY400
            return self._jobs.get(str(meta.get("uid")))

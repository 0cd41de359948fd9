"""Archive a job's log in a ConfigMap that the job owns. Used by `held_job`.

Flushed during the run, at growing intervals, so that the log survives a crash of the daemon; and once at the end, before
the job's end is written. A run shorter than the first interval makes exactly one write. No failure here ever keeps a job
from ending.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, Protocol

from provisioner_operator.api.v1alpha1.names import (
    API_VERSION,
    ARCHIVING_DAEMON_ANNOTATION,
    JOB_LABEL,
    log_archive_name,
)
from provisioner_operator.core.jobs.outcome import LogArchive
from provisioner_operator.core.model.records import Job
from provisioner_operator.daemon.logs.log_buffer import JobLog
from provisioner_operator.daemon.retrying import until_answered
from provisioner_operator.kube import paths
from provisioner_operator.kube.errors import ConflictError, KubeError, NotFoundError, UnreachableError

logger = logging.getLogger(__name__)

FIRST_FLUSH_SECONDS = 10.0
"""A run that ends sooner is archived once."""
SLOWEST_FLUSH_SECONDS = 300.0
"""The longest part of a log that a crash may lose: a write of up to 1 MiB every ten seconds would cost the cluster more."""
LAST_FLUSH_SECONDS = 60.0
"""The time for which the last flush is retried during an outage; the job's end waits for it."""
KEY = "log"


class NotCollectedError(UnreachableError):
    """The archive of an earlier job of the same name still exists; only the garbage collector may delete it."""


class Writer(Protocol):
    """The part of the client that the archive needs."""

    async def create(self, path: str, body: Mapping[str, Any], /) -> dict[str, Any]:
        """Create an object."""

    async def get(self, path: str, /) -> dict[str, Any]:
        """Read an object."""

    async def merge_patch(self, path: str, body: Mapping[str, Any], /) -> dict[str, Any]:
        """Change an object."""


class Archive:
    """The ConfigMap of one run's log."""

    def __init__(self, writer: Writer, job: Job, log: JobLog) -> None:
        self._writer = writer
        self._job = job
        self._log = log
        self._exists = False
        self._flushed_size = -1

    async def keep_flushing(self) -> None:
        """Flush at growing intervals until canceled."""
        pause = FIRST_FLUSH_SECONDS
        while True:
            await asyncio.sleep(pause)
            pause = min(2 * pause, SLOWEST_FLUSH_SECONDS)
            if self._log.size != self._flushed_size:
                await self._try_flush()

    async def close(self) -> LogArchive | None:
        """Write the whole log and return its archive; None if it could not be archived."""
        if self._log.size != self._flushed_size and not await self._try_last_flush():
            return None
        return LogArchive(log_archive_name(self._job.name), self._log.size, self._log.truncated)

    async def _try_last_flush(self) -> bool:
        try:
            await until_answered(self._flush, seconds=LAST_FLUSH_SECONDS)
        except KubeError as error:
            self._warn(error)
            return False
        return True

    async def _try_flush(self) -> None:
        size = self._log.size
        try:
            await self._flush()
        except KubeError as error:
            self._warn(error)
        else:
            self._flushed_size = size

    def _warn(self, error: KubeError) -> None:
        logger.warning("Cannot archive the log of job %s: %s", self._job.display_name, error)

    async def _flush(self) -> None:
        body = self._config_map()
        path = paths.config_map(self._job.namespace, log_archive_name(self._job.name))
        if not self._exists:
            try:
                await self._writer.create(paths.config_maps(self._job.namespace), body)
            except ConflictError:
                # Created by a request whose answer was lost, or for an earlier job of this name. Anything else of that
                # name belongs to another owner and is left alone.
                found = await self._writer.get(path)
                if not _is_archive(found, self._job):
                    raise
                if not _belongs_to(found, self._job):
                    raise NotCollectedError(
                        f"{path} of an earlier job of this name has not been garbage-collected yet"
                    ) from None
                await self._writer.merge_patch(path, body)
        else:
            try:
                await self._writer.merge_patch(path, {"data": body["data"]})
            except NotFoundError:
                await self._writer.create(paths.config_maps(self._job.namespace), body)
        self._exists = True

    def _config_map(self) -> dict[str, Any]:
        owner = {
            "apiVersion": API_VERSION,
            "kind": "ProvisionerJob",
            "name": self._job.name,
            "uid": self._job.uid,
            "controller": True,
        }
        return {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": log_archive_name(self._job.name),
                "namespace": self._job.namespace,
                "labels": {JOB_LABEL: self._job.name},
                "annotations": {
                    ARCHIVING_DAEMON_ANNOTATION: self._job.assignment.daemon if self._job.assignment else ""
                },
                "ownerReferences": [owner],
            },
            "data": {KEY: self._log.text()},
        }


def _is_archive(found: Mapping[str, Any], job: Job) -> bool:
    """Return whether a daemon created this ConfigMap for a job of that name."""
    return bool((found["metadata"].get("labels") or {}).get(JOB_LABEL) == job.name)


def _belongs_to(found: Mapping[str, Any], job: Job) -> bool:
    return any(owner["uid"] == job.uid for owner in found["metadata"].get("ownerReferences") or ())

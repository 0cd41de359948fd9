"""The daemon's own jobs as the API server has them. Run by `agent`, which is told of every change.

Only jobs assigned to this daemon and not yet over arrive, so a job that is missing is over, deleted or another's.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from provisioner_operator.core.model.records import Job
from provisioner_operator.kube import paths, selectors
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.parsing import UnparseableObjectError, parse_job
from provisioner_operator.kube.reflector import Reflector

logger = logging.getLogger(__name__)


class JobFeed:
    """A mirror of the daemon's live jobs, by uid; its reflector's sink."""

    def __init__(self, client: KubeClient, *, namespace: str, daemon: str, on_change: Callable[[], None]) -> None:
        selector = selectors.unfinished_jobs_of(daemon)
        self._reflector = Reflector(client, paths.jobs(namespace), self, listing=selector, watching=selector)
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
        """Keep the mirror current until canceled."""
        await self._reflector.follow()

    # --- what the reflector tells ---

    def known(self) -> Iterable[str]:
        """The jobs that a list should have."""
        return self._jobs

    def seen(self, body: Mapping[str, Any]) -> None:
        """A job of this daemon's; one that is not understood stays as it was known."""
        try:
            job = parse_job(body)
        except UnparseableObjectError as error:
            meta = body["metadata"]
            logger.error("Job %s/%s is not understood: %s", meta.get("namespace"), meta.get("name"), error)  # noqa: TRY400 - no traceback needed
            return
        known = self._jobs.get(job.uid)
        if known is None or job.resource_version > known.resource_version:
            self._jobs[job.uid] = job
            self._on_change()

    def deleted(self, uid: str) -> None:
        """The job is no longer one of them."""
        if self._jobs.pop(uid, None) is not None:
            self._on_change()

    missed = deleted

    def listed(self) -> None:
        """All of them are known."""
        self._on_change()

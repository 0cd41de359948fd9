"""Cache the daemon's own jobs as the API server has them. Run by `agent`, which is woken at every change.

Only unfinished jobs assigned to this daemon arrive, so a job that is missing has ended, was deleted or is another daemon's.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.core.model.records import Job
from provisioner_operator.kube import paths, selectors
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.errors import RestoredError
from provisioner_operator.kube.object_meta import object_meta
from provisioner_operator.kube.parsing import UnparseableObjectError, parse_job
from provisioner_operator.kube.reflector import Reflector

logger = logging.getLogger(__name__)


class JobFeed:
    """The daemon's unfinished jobs by uid; the sink of its reflector."""

    def __init__(
        self,
        client: KubeClient,
        *,
        namespace: str,
        daemon: str,
        on_change: Callable[[], None],
        on_restored: Callable[[], None],
    ) -> None:
        """`on_restored` is called when versions observed before mean nothing any more."""
        self._client = client
        self._path = paths.jobs(namespace)
        self._selector = selectors.unfinished_jobs_of(daemon)
        self._on_change = on_change
        self._on_restored = on_restored
        self._jobs: dict[str, Job] = {}
        self._over: set[str] = set()
        """Jobs that have ended, until the watch reports that."""
        self._is_restored = False
        """Whether the next list is the first after a restore of etcd."""
        self._outdated: set[str] = set()
        """Assignments that a backup brought back unacknowledged: since then, another daemon may have got the job and run it."""

    @property
    def jobs(self) -> Mapping[str, Job]:
        """The jobs as last observed."""
        return self._jobs

    def forget(self, uid: str) -> None:
        """Drop a job that has ended, unless the watch has reported it already."""
        if self._jobs.pop(uid, None) is not None:
            self._over.add(uid)

    async def follow(self) -> None:
        """Keep the cache current until canceled."""
        while True:
            try:
                await Reflector(
                    self._client,
                    self._path,
                    self,
                    listing=self._selector,
                    watching=self._selector,
                    undefined=self._forget_all,
                ).follow()
            except RestoredError as error:
                logger.warning("%s. The jobs are listed anew; runs go on if theirs are still this daemon's.", error)
                # The jobs themselves stay until the list: a run whose job is missing would be stopped.
                self._jobs = {uid: replace(job, resource_version=0) for uid, job in self._jobs.items()}
                self._over.clear()  # what had ended may be unfinished again
                self._is_restored = True
                self._outdated.clear()
                self._on_restored()

    # --- called by the reflector ---

    def known(self) -> Mapping[str, int]:
        """Return the jobs that a list should contain, with the versions by which they were observed."""
        return dict.fromkeys(self._over, 0) | {uid: job.resource_version for uid, job in self._jobs.items()}

    def seen(self, body: Mapping[str, Any]) -> None:
        """Store a newer version of a job; one that cannot be parsed leaves the last version in place."""
        try:
            job = parse_job(body)
        except UnparseableObjectError as error:
            meta = body["metadata"]
            logger.error("Cannot parse job %s/%s: %s", meta.get("namespace"), meta.get("name"), error)  # noqa: TRY400 - no traceback needed
            return
        if job.uid in self._over:
            return  # an older version: an end is final
        if self._is_outdated(job):
            self.missed(job.uid)  # the controller assigns it anew once it has not been acknowledged in time
            return
        known = self._jobs.get(job.uid)
        if known is None or job.resource_version > known.resource_version:
            self._jobs[job.uid] = job
            self._on_change()

    def deleted(self, body: Mapping[str, Any]) -> None:
        """Drop a job that the watch says is no longer among them."""
        self.missed(object_meta(body).uid)

    def missed(self, uid: str) -> None:
        """Drop a job that is no longer among them."""
        self._over.discard(uid)
        if self._jobs.pop(uid, None) is not None:
            self._on_change()

    def listed(self) -> None:
        """Wake the agent: the cache is complete."""
        self._is_restored = False
        self._on_change()

    def _forget_all(self) -> None:
        """Drop all jobs, as their definition is missing: the watch may have ended before it reported their deletion."""
        self._over.clear()
        for uid in list(self._jobs):
            self.missed(uid)

    def _is_outdated(self, job: Job) -> bool:
        """Return whether the job's assignment is older than what happened before a restore of etcd."""
        if job.phase is not Phase.PENDING or job.assignment is None:
            return False
        if self._is_restored:
            self._outdated.add(job.assignment.id)
        return job.assignment.id in self._outdated

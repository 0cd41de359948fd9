"""Jobs, daemons, templates and workspaces, followed: what the reflectors of the controller tell, on its way to the observer.

A list brings only jobs that have not ended, since those that have may be many; the watch brings all, so that a job's end
is seen as it is, and its deletion too.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.controller.observer import Observer
from provisioner_operator.controller.writes.writer import Departed, Writer
from provisioner_operator.core.jobs.lifecycle import TERMINAL
from provisioner_operator.core.reconcilers.jobs import JobReconciler
from provisioner_operator.core.reconcilers.reconcilers import Reconcilers
from provisioner_operator.core.reconcilers.workspaces import WorkspaceReconciler
from provisioner_operator.kube import paths
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.reflector import Reflector

LIVE_JOBS = ",".join(f"status.phase!={phase}" for phase in Phase if phase in TERMINAL)
"""The field selector of jobs that have not ended."""


class JobFeed:
    """The jobs of a namespace, or of all (None)."""

    def __init__(
        self,
        observer: Observer,
        reconcilers: Reconcilers,
        writer: Writer,
        namespace: str | None,
    ) -> None:
        self._observer = observer
        self._jobs = reconcilers.jobs
        self._workspaces = reconcilers.workspaces
        self._writer = writer
        self._namespace = namespace
        self.relisted = asyncio.Event()
        """Set when ended jobs have to be looked through: something about them may have been missed."""

    def reflector(self, client: KubeClient) -> Reflector:
        """What keeps this feed going."""
        return Reflector(client, paths.jobs(self._namespace), self, listing=LIVE_JOBS)

    def known(self) -> Iterable[str]:
        """The live jobs in the mirrors: of one that was made for a workspace the watch may not have told yet."""
        live = {job.uid: (job.namespace, job.name) for job in self._jobs.jobs()} | self._workspaces.unfinished_jobs()
        return [uid for uid, (namespace, _) in live.items() if self._namespace in (None, namespace)]

    def seen(self, body: Mapping[str, Any]) -> None:
        """A job, live or ended."""
        self._observer.job_shown(body)

    def deleted(self, uid: str) -> None:
        """Its object is gone."""
        self._observer.job_deleted(uid)

    def missed(self, uid: str) -> None:
        """It ended or was deleted: have it read once, to learn which."""
        job = self._jobs.job(uid)
        place = (job.namespace, job.name) if job is not None else self._workspaces.unfinished_jobs().get(uid)
        if place is not None:
            self._writer.submit(Departed(*place, uid))

    def listed(self) -> None:
        """All live jobs are known."""
        self.relisted.set()


class Followed(Protocol):
    """An object as a mirror knows it."""

    @property
    def namespace(self) -> str:
        """Where it is."""

    @property
    def uid(self) -> str:
        """Which it is."""


class Feed:
    """The objects of one kind, in a namespace or in all (None), each told of as it is seen and when it is gone."""

    def __init__(
        self,
        namespace: str | None,
        *,
        known: Callable[[], Iterable[Followed]],
        seen: Callable[[Mapping[str, Any]], None],
        gone: Callable[[str], None],
    ) -> None:
        """`known` gives those in the mirror."""
        self._namespace = namespace
        self._known = known
        self._seen = seen
        self._gone = gone

    def known(self) -> Iterable[str]:
        """Those in the mirror."""
        return [each.uid for each in self._known() if self._namespace in (None, each.namespace)]

    def seen(self, body: Mapping[str, Any]) -> None:
        """One of them, as it is."""
        self._seen(body)

    def deleted(self, uid: str) -> None:
        """Its object is gone."""
        self._gone(uid)

    missed = deleted

    def listed(self) -> None:
        """All are known."""


def daemons(client: KubeClient, observer: Observer, mirror: JobReconciler, namespace: str | None) -> Reflector:
    """What follows the daemons."""
    feed = Feed(
        namespace,
        known=lambda: (daemon for daemon, _ in mirror.daemons()),
        seen=observer.daemon,
        gone=observer.daemon_deleted,
    )
    return Reflector(client, paths.daemons(namespace), feed)


def templates(client: KubeClient, observer: Observer, mirror: WorkspaceReconciler, namespace: str | None) -> Reflector:
    """What follows the templates."""
    feed = Feed(namespace, known=mirror.templates, seen=observer.template, gone=observer.template_deleted)
    return Reflector(client, paths.templates(namespace), feed)


def workspaces(client: KubeClient, observer: Observer, mirror: WorkspaceReconciler, namespace: str | None) -> Reflector:
    """What follows the workspaces."""
    feed = Feed(namespace, known=mirror.workspaces, seen=observer.workspace, gone=observer.workspace_deleted)
    return Reflector(client, paths.workspaces(namespace), feed)

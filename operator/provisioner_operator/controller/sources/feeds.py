"""Feeds from the reflectors to the observer: jobs, daemons, templates and workspaces.

A list brings unfinished jobs only, since the ended ones may be many; the watch brings all, so that the end of a job and
its deletion are observed.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Protocol

from provisioner_operator.controller.observer import Observer
from provisioner_operator.controller.writes.writer import Departed, Writer
from provisioner_operator.core.reconcilers.jobs import JobReconciler
from provisioner_operator.core.reconcilers.reconcilers import Reconcilers
from provisioner_operator.core.reconcilers.supplies import SupplyReconciler
from provisioner_operator.core.reconcilers.workspaces import WorkspaceReconciler
from provisioner_operator.kube import paths
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.object_meta import object_meta
from provisioner_operator.kube.reflector import Reflector
from provisioner_operator.kube.selectors import UNFINISHED_JOBS


class JobFeed:
    """The sink of the jobs of a namespace, or of all (None)."""

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
        """Set when ended jobs have to be listed: changes of them may have been missed."""

    def reflector(self, client: KubeClient) -> Reflector:
        """Make the reflector that feeds this sink."""
        return Reflector(
            client, paths.jobs(self._namespace), self, listing=UNFINISHED_JOBS, resumed=self._observer.wake.set
        )

    def known(self) -> Mapping[str, int]:
        """Return the unfinished jobs that any reconciler knows, with the versions by which they were observed."""
        # The workspaces' too: a job that was just created for one may not have come by the watch yet.
        of_builds = {uid: (namespace, 0) for uid, (namespace, _) in self._workspaces.unfinished_jobs().items()}
        jobs = of_builds | {job.uid: (job.namespace, job.resource_version) for job in self._jobs.jobs()}
        return {uid: version for uid, (namespace, version) in jobs.items() if self._namespace in (None, namespace)}

    def seen(self, body: Mapping[str, Any]) -> None:
        """Observe a job, unfinished or ended."""
        self._observer.job_watched(body)

    def deleted(self, body: Mapping[str, Any]) -> None:
        """Forget a job that was deleted."""
        self._observer.job_deleted(object_meta(body).uid, body)

    def missed(self, uid: str) -> None:
        """Submit a read of a job that the list lacks: either it ended or it was deleted."""
        job = self._jobs.job(uid)
        place = (job.namespace, job.name) if job is not None else self._workspaces.unfinished_jobs().get(uid)
        if place is not None:
            self._writer.submit(Departed(*place, uid))

    def listed(self) -> None:
        """Request a list of the ended jobs as well."""
        self.relisted.set()


class Followed(Protocol):
    """An object as a reconciler knows it."""

    @property
    def namespace(self) -> str:
        """Its namespace."""

    @property
    def uid(self) -> str:
        """Its uid."""

    @property
    def resource_version(self) -> int:
        """The version by which it was observed."""


class Feed:
    """The sink of the objects of one kind, in a namespace or in all (None)."""

    def __init__(
        self,
        namespace: str | None,
        *,
        known: Callable[[], Iterable[Followed]],
        seen: Callable[[Mapping[str, Any]], None],
        deleted: Callable[[str], None],
        missed: Callable[[str], None] | None = None,
    ) -> None:
        """`known` returns the objects that the reconciler knows, of all namespaces; `missed` is `deleted` by default."""
        self._namespace = namespace
        self._known = known
        self._seen = seen
        self._deleted = deleted
        self._missed = missed or deleted

    def known(self) -> Mapping[str, int]:
        """Return the objects that the reconciler knows, with the versions by which they were observed."""
        known = (each for each in self._known() if self._namespace in (None, each.namespace))
        return {each.uid: each.resource_version for each in known}

    def seen(self, body: Mapping[str, Any]) -> None:
        """Observe an object."""
        self._seen(body)

    def deleted(self, body: Mapping[str, Any]) -> None:
        """Forget an object that was deleted."""
        self._deleted(object_meta(body).uid)

    def missed(self, uid: str) -> None:
        """Forget an object that was deleted while nothing was watched."""
        self._missed(uid)

    def listed(self) -> None:
        """Do nothing: lists of these kinds are complete."""


def daemons(client: KubeClient, observer: Observer, reconciler: JobReconciler, namespace: str | None) -> Reflector:
    """Make the reflector that follows daemons."""
    feed = Feed(
        namespace,
        known=lambda: (*(daemon for daemon, _ in reconciler.daemons()), *reconciler.unreadable_daemons()),
        seen=observer.daemon,
        deleted=partial(observer.daemon_deleted, watched=True),
        missed=observer.daemon_deleted,
    )
    return Reflector(client, paths.daemons(namespace), feed, resumed=observer.wake.set)


def queues(
    client: KubeClient,
    observer: Observer,
    reconciler: JobReconciler,
    namespace: str | None,
    changed: Callable[[], None],
) -> Reflector:
    """Make the reflector that follows queues; `changed` is called after each list and change of one."""

    def seen(body: Mapping[str, Any]) -> None:
        observer.queue(body)
        changed()

    feed = Feed(namespace, known=reconciler.queues, seen=seen, deleted=observer.queue_deleted)
    return Reflector(client, paths.queues(namespace), feed, resumed=observer.wake.set)


def supplies(client: KubeClient, observer: Observer, reconciler: SupplyReconciler, namespace: str | None) -> Reflector:
    """Make the reflector that follows ProvisionerSupplies."""
    feed = Feed(namespace, known=reconciler.supplies, seen=observer.supply, deleted=observer.supply_deleted)
    return Reflector(client, paths.supplies(namespace), feed, resumed=observer.wake.set)


def templates(
    client: KubeClient, observer: Observer, reconciler: WorkspaceReconciler, namespace: str | None
) -> Reflector:
    """Make the reflector that follows templates."""
    feed = Feed(namespace, known=reconciler.templates, seen=observer.template, deleted=observer.template_deleted)
    return Reflector(client, paths.templates(namespace), feed, resumed=observer.wake.set)


def workspaces(
    client: KubeClient, observer: Observer, reconciler: WorkspaceReconciler, namespace: str | None
) -> Reflector:
    """Make the reflector that follows workspaces."""
    feed = Feed(
        namespace,
        known=lambda: (*reconciler.workspaces(), *reconciler.unreadable_workspaces()),
        seen=observer.workspace,
        deleted=observer.workspace_deleted,
    )
    return Reflector(client, paths.workspaces(namespace), feed, resumed=observer.wake.set)

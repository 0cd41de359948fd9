"""Jobs, daemons, templates and workspaces, followed: what the reflectors of the controller tell, on its way to the observer.

A list brings only jobs that have not ended, since those that have may be many; the watch brings all, so that a job's end
is seen as it is, and its deletion too.
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from provisioner_operator.api.enums import Phase
from provisioner_operator.controller.observer import Observer
from provisioner_operator.controller.writer import Departed, Writer
from provisioner_operator.core.lifecycle import TERMINAL
from provisioner_operator.core.mirror import Mirror
from provisioner_operator.core.workspace_mirror import WorkspaceMirror
from provisioner_operator.kube import paths
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.reflector import Reflector

LIVE_JOBS = ",".join(f"status.phase!={phase}" for phase in Phase if phase in TERMINAL)
"""The field selector of jobs that have not ended."""


class JobFeed:
    """The jobs of a namespace, or of all (None)."""

    def __init__(self, observer: Observer, mirror: Mirror, writer: Writer, namespace: str | None) -> None:
        self._observer = observer
        self._mirror = mirror
        self._writer = writer
        self._namespace = namespace
        self.relisted = asyncio.Event()
        """Set when ended jobs have to be looked through: something about them may have been missed."""

    def reflector(self, client: KubeClient) -> Reflector:
        """What keeps this feed going."""
        return Reflector(client, paths.jobs(self._namespace), self, listing=LIVE_JOBS)

    def known(self) -> Iterable[str]:
        """The live jobs in the mirror."""
        return [job.uid for job in self._mirror.jobs() if self._namespace in (None, job.namespace)]

    def seen(self, body: Mapping[str, Any]) -> None:
        """A job, live or ended."""
        self._observer.job_shown(body)

    def deleted(self, uid: str) -> None:
        """Its object is gone."""
        self._observer.job_deleted(uid)

    def missed(self, uid: str) -> None:
        """It ended or was deleted: have it read once, to learn which."""
        if (job := self._mirror.job(uid)) is not None:
            self._writer.submit(Departed(job.namespace, job.name, uid))

    def listed(self) -> None:
        """All live jobs are known."""
        self.relisted.set()


class DaemonFeed:
    """The daemons of a namespace, or of all (None)."""

    def __init__(self, observer: Observer, mirror: Mirror, namespace: str | None) -> None:
        self._observer = observer
        self._mirror = mirror
        self._namespace = namespace

    def reflector(self, client: KubeClient) -> Reflector:
        """What keeps this feed going."""
        return Reflector(client, paths.daemons(self._namespace), self)

    def known(self) -> Iterable[str]:
        """The daemons in the mirror."""
        return [daemon.uid for daemon, _ in self._mirror.daemons() if self._namespace in (None, daemon.namespace)]

    def seen(self, body: Mapping[str, Any]) -> None:
        """A daemon."""
        self._observer.daemon(body)

    def deleted(self, uid: str) -> None:
        """Its object is gone."""
        self._observer.daemon_deleted(uid)

    missed = deleted

    def listed(self) -> None:
        """All daemons are known."""


class TemplateFeed:
    """The templates of a namespace, or of all (None)."""

    def __init__(self, observer: Observer, workspaces: WorkspaceMirror, namespace: str | None) -> None:
        self._observer = observer
        self._workspaces = workspaces
        self._namespace = namespace

    def reflector(self, client: KubeClient) -> Reflector:
        """What keeps this feed going."""
        return Reflector(client, paths.templates(self._namespace), self)

    def known(self) -> Iterable[str]:
        """The templates in the mirror."""
        return [each.uid for each in self._workspaces.templates() if self._namespace in (None, each.namespace)]

    def seen(self, body: Mapping[str, Any]) -> None:
        """A template."""
        self._observer.template(body)

    def deleted(self, uid: str) -> None:
        """Its object is gone."""
        self._observer.template_deleted(uid)

    missed = deleted

    def listed(self) -> None:
        """All templates are known."""


class WorkspaceFeed:
    """The workspaces of a namespace, or of all (None)."""

    def __init__(self, observer: Observer, workspaces: WorkspaceMirror, namespace: str | None) -> None:
        self._observer = observer
        self._workspaces = workspaces
        self._namespace = namespace

    def reflector(self, client: KubeClient) -> Reflector:
        """What keeps this feed going."""
        return Reflector(client, paths.workspaces(self._namespace), self)

    def known(self) -> Iterable[str]:
        """The workspaces in the mirror."""
        return [each.uid for each in self._workspaces.workspaces() if self._namespace in (None, each.namespace)]

    def seen(self, body: Mapping[str, Any]) -> None:
        """A workspace."""
        self._observer.workspace(body)

    def deleted(self, uid: str) -> None:
        """Its object is gone."""
        self._observer.workspace_deleted(uid)

    missed = deleted

    def listed(self) -> None:
        """All workspaces are known."""

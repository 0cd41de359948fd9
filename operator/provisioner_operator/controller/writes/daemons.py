"""Carry out decisions about daemons, and about the ProvisionerDaemons that Pods need."""

from functools import partial
from typing import Any

from provisioner_operator.controller import clock
from provisioner_operator.controller.observer import Observer
from provisioner_operator.controller.writes.answers import Result
from provisioner_operator.controller.writes.executor import has_moved_on, parse_taken, read_fresh, with_effect
from provisioner_operator.core.daemons.decisions import (
    CheckDaemon,
    DaemonDecision,
    HoldDaemon,
    MarkOffline,
    PodDecision,
    RegisterDaemon,
    ReleaseDaemon,
    RemoveDaemon,
    ReshapeDaemon,
)
from provisioner_operator.core.model.records import Daemon, DaemonPod, UnreadableObject
from provisioner_operator.kube import paths
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.errors import AlreadyExistsError
from provisioner_operator.kube.parsing import parse_daemon


class DaemonExecutor:
    """Executor of decisions about daemons and their Pods."""

    def __init__(self, client: KubeClient, observer: Observer) -> None:
        self._client = client
        self._observer = observer

    async def execute(self, decision: DaemonDecision | PodDecision) -> Result:
        """Send the write and observe its response. Raises KubeError."""
        match decision:
            case CheckDaemon(daemon):
                await self._read(daemon)
            case MarkOffline(daemon):
                path = paths.daemon_status(daemon.namespace, daemon.name)
                self._observer.daemon(await self._client.json_patch(path, decision.patch(clock.read().wall)))
            case RegisterDaemon():
                return await self._register(decision)
            case ReshapeDaemon(_, daemon):
                path = paths.daemon(daemon.namespace, daemon.name)
                body = await self._client.json_patch(path, decision.patch())
                self._observer.daemon(with_effect(body, daemon.resource_version))
            case HoldDaemon(daemon) | ReleaseDaemon(daemon):
                path = paths.daemon(daemon.namespace, daemon.name)
                body = await self._client.json_patch(path, decision.patch())
                self._observer.daemon(body)
                if isinstance(decision, ReleaseDaemon) and not body["metadata"].get("finalizers"):
                    self._observer.daemon_deleted(daemon.uid)  # with its last finalizer
            case RemoveDaemon(pod, daemon):
                # Read before the absence of the daemon's own Pod is believed: it may have the name by now, unnoticed.
                if await self._read_pod(pod) is None:
                    return Result.CONFLICT
                held_up = await self._client.delete(paths.daemon(daemon.namespace, daemon.name), uid=daemon.uid)
                if held_up is None:
                    self._observer.daemon_deleted(daemon.uid)
                else:
                    self._observer.daemon(held_up)
        return Result.OK

    async def is_news(self, decision: DaemonDecision | PodDecision) -> bool:
        """Read the daemon; return whether the precondition no longer holds for it. Raises KubeError."""
        if isinstance(decision, RegisterDaemon):
            return False  # a creation has no precondition: the namespace is gone, or something else refuses it
        daemon = decision.daemon
        body = await self._read(daemon)
        match decision:
            case MarkOffline():
                return has_moved_on(body, decision.patch(clock.read().wall), daemon.resource_version)
            case ReshapeDaemon() | HoldDaemon() | ReleaseDaemon():
                return has_moved_on(body, decision.patch(), daemon.resource_version)
            case _:
                return body is None

    async def _register(self, decision: RegisterDaemon) -> Result:
        pod = decision.pod
        try:
            body = await self._client.create(paths.daemons(pod.namespace), decision.body())
        except AlreadyExistsError:
            # Created by an earlier request whose answer was lost, or by an admin: the next decision finds out.
            body = await self._client.get(paths.daemon(pod.namespace, pod.name))
            parse_taken(parse_daemon, body)
            self._observer.daemon(body)
            return Result.CONFLICT
        self._observer.daemon(body)
        return Result.OK

    async def _read_pod(self, pod: DaemonPod) -> dict[str, Any] | None:
        return await read_fresh(
            self._client,
            paths.pod(pod.namespace, pod.name),
            pod.uid,
            observe=self._observer.pod,
            gone=lambda uid: self._observer.pod_deleted(uid, pod.namespace),
        )

    async def _read(self, daemon: Daemon | UnreadableObject) -> dict[str, Any] | None:
        return await read_fresh(
            self._client,
            paths.daemon(daemon.namespace, daemon.name),
            daemon.uid,
            observe=partial(self._observer.daemon, fresh=True),
            gone=self._observer.daemon_deleted,
        )

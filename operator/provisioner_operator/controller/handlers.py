"""The handlers that Kopf calls: each passes an object to the observer. They keep no state in Kopf and write nothing.

Only `on.event`, since every other kind of handler costs writes, finalizers or memory per object; and only for pools and
Pods, which change rarely. Jobs, daemons, templates and workspaces are followed by `sources.feeds`, at a tenth of the cost.
"""

import logging
from collections.abc import Callable, Iterator
from itertools import chain, repeat
from typing import Any

import kopf

from provisioner_operator.api.v1alpha1.names import GROUP, POOLS, VERSION
from provisioner_operator.controller.operator import Operator, StartupError
from provisioner_operator.kube.client import PAGE_SIZE
from provisioner_operator.kube.connect import LoginError
from provisioner_operator.kube.object_meta import object_meta
from provisioner_operator.kube.selectors import DAEMON_PODS


def register(registry: kopf.OperatorRegistry, operator: Operator) -> None:
    """Register the handlers that feed an operator, which has to be started before Kopf."""

    @kopf.on.startup(registry=registry)
    async def configure(settings: kopf.OperatorSettings, **_: Any) -> None:
        _configure(settings)

    @kopf.on.login(registry=registry)
    def login(**_: Any) -> kopf.AiohttpSession:
        return kopf.AiohttpSession(server=operator.connection.server, aiohttp_session=operator.connection.session)

    # Every attempt to start makes a new observer, so each call asks the operator for the current one.
    def pool_seen(body: kopf.RawBody) -> None:
        operator.observer.pool(body)

    def pool_deleted(body: kopf.RawBody) -> None:
        operator.observer.pool_deleted(object_meta(body).uid)

    def pod_seen(body: kopf.RawBody) -> None:
        operator.observer.pod(body)

    def pod_deleted(body: kopf.RawBody) -> None:
        meta = object_meta(body)
        operator.observer.pod_deleted(meta.uid, meta.namespace, body)

    _watch(registry, (GROUP, VERSION, POOLS), pool_seen, pool_deleted)
    _watch(registry, ("", "v1", "pods"), pod_seen, pod_deleted)


def _watch(
    registry: kopf.OperatorRegistry,
    resource: tuple[str, str, str],
    seen: Callable[[kopf.RawBody], None],
    deleted: Callable[[kopf.RawBody], None],
) -> None:
    """Register a handler for the events of one kind."""

    @kopf.on.event(*resource, registry=registry)
    async def on_event(event: kopf.RawEvent, **_: Any) -> None:
        (deleted if event["type"] == "DELETED" else seen)(event["object"])


def register_lifecycle(registry: kopf.OperatorRegistry, operator: Operator) -> None:
    """Register the start and stop of the operator as well: for plain `kopf run`, which starts nothing else."""

    @kopf.on.startup(registry=registry)
    async def start(**_: Any) -> None:
        try:
            await operator.start()
        except (StartupError, LoginError) as error:
            raise kopf.PermanentError(str(error)) from error

    @kopf.on.cleanup(registry=registry)
    async def stop(**_: Any) -> None:
        await operator.stop()


class _EndlessBackoff:
    """Kopf's pauses between retries; without an end, since Kopf exits the process when they are used up."""

    def __iter__(self) -> Iterator[float]:
        return chain((1, 1, 2, 3), repeat(5))


def _configure(settings: kopf.OperatorSettings) -> None:
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.networking.error_backoffs = _EndlessBackoff()
    settings.watching.chunk_size = PAGE_SIZE
    settings.watching.label_selectors["", "v1", "pods"] = DAEMON_PODS
    settings.queueing.idle_timeout = 0.5
    # Never added to an object, but Kopf demands a name.
    settings.persistence.finalizer = f"{GROUP}/unused"
    logging.getLogger("kopf.objects").setLevel(logging.WARNING)

"""The handlers that Kopf calls: they start and stop the operator, and each event passes an object to the observer.

The one way to run the operator, for `provisioner-operator run` and for plain `kopf run` alike. They keep no state in Kopf
and write nothing.

Only `on.event`, since every other kind of handler costs writes, finalizers or memory per object; and only for pools and
Pods, which change rarely. Jobs, daemons, templates and workspaces are followed by `sources.feeds`, at a tenth of the cost.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator
from itertools import chain, count, repeat
from typing import Any

import kopf

from provisioner_operator.api.v1alpha1.names import GROUP, POOLS, VERSION
from provisioner_operator.controller.operator import DRAIN_SECONDS, Operator
from provisioner_operator.kube.object_meta import object_meta
from provisioner_operator.kube.selectors import DAEMON_PODS

_END_SECONDS = 3 * DRAIN_SECONDS
"""The time for a stop, after which Kopf kills the process: one that hangs while it ends must be started anew, too."""
_LOGIN_PAUSE_SECONDS = 5.0
"""The pause before each further login: Kopf logs in again after each 401, and a withdrawn token stays withdrawn."""

_KOPFS_PAGE = 50
"""Objects per page of Kopf's lists, few since it does not adapt them to their size: a Pod may have up to 1.5 MiB."""


def register(registry: kopf.OperatorRegistry, operator: Operator) -> None:
    """Register everything that runs an operator."""
    _register_life(registry, operator)
    _register_login(registry, operator)

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


def _register_life(registry: kopf.OperatorRegistry, operator: Operator) -> None:
    # A start that fails is not repeated: the operator itself waits for whatever may pass.
    @kopf.on.startup(registry=registry, id="start", errors=kopf.ErrorsMode.PERMANENT)
    async def start(settings: kopf.OperatorSettings, **_: Any) -> None:
        _configure(settings)
        # Only Kopf has begun yet, so all tasks are its own or wait for its end; none ends before Kopf does.
        await operator.start(kopf_tasks=asyncio.all_tasks())

    @kopf.on.cleanup(registry=registry, id="stop", errors=kopf.ErrorsMode.PERMANENT)
    async def stop(**_: Any) -> None:
        await operator.stop()
        if operator.failure is not None:
            # Makes the exit code of `kopf run`.
            raise kopf.PermanentError(str(operator.failure))


def _register_login(registry: kopf.OperatorRegistry, operator: Operator) -> None:
    logins = count()

    @kopf.on.login(registry=registry)
    async def login(**_: Any) -> kopf.AiohttpSession:
        if next(logins):
            await asyncio.sleep(_LOGIN_PAUSE_SECONDS)
        connection = operator.connection
        return kopf.AiohttpSession(server=connection.server, aiohttp_session=connection.another_session())


class _EndlessBackoff:
    """Kopf's pauses between retries; without an end, since Kopf exits the process when they are used up."""

    def __iter__(self) -> Iterator[float]:
        return chain((1, 1, 2, 3), repeat(5))


def _configure(settings: kopf.OperatorSettings) -> None:
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.networking.error_backoffs = _EndlessBackoff()
    settings.watching.chunk_size = _KOPFS_PAGE
    settings.watching.label_selectors["", "v1", "pods"] = DAEMON_PODS
    settings.queueing.idle_timeout = 0.5
    settings.process.ultimate_exiting_timeout = _END_SECONDS
    # Never added to an object, but Kopf demands a name.
    settings.persistence.finalizer = f"{GROUP}/unused"
    logging.getLogger("kopf.objects").setLevel(logging.WARNING)

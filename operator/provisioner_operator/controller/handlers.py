"""What Kopf calls: each handler hands over what it was told and returns. No state is kept in Kopf, nothing is written.

Only `on.event`, since every other kind of handler costs writes, finalizers or memory per object; and only of what changes
seldom. Jobs and daemons are followed by `feeds`, at a tenth of the cost.
"""

import logging
from collections.abc import Callable, Iterator
from itertools import chain, repeat
from typing import Any

import kopf

from provisioner_operator.api.v1alpha1.names import GROUP, POOLS, VERSION
from provisioner_operator.controller.operator import Operator, StartupError
from provisioner_operator.controller.sources.initial_list import DAEMON_PODS
from provisioner_operator.kube.client import PAGE_SIZE
from provisioner_operator.kube.connect import LoginError


def register(registry: kopf.OperatorRegistry, operator: Operator) -> None:
    """Have Kopf feed this operator, which is started already."""

    @kopf.on.startup(registry=registry)
    async def configure(settings: kopf.OperatorSettings, **_: Any) -> None:
        _configure(settings)

    @kopf.on.login(registry=registry)
    def login(**_: Any) -> kopf.AiohttpSession:
        return kopf.AiohttpSession(server=operator.connection.server, aiohttp_session=operator.connection.session)

    # The observer is made anew at each start, so it is asked for each time.
    def pool_gone(body: kopf.RawBody) -> None:
        operator.observer.pool_deleted(body["metadata"]["uid"])

    def pod_gone(body: kopf.RawBody) -> None:
        operator.observer.pod_deleted(body["metadata"]["uid"], body["metadata"]["namespace"], body)

    _feed(registry, (GROUP, VERSION, POOLS), lambda: operator.observer.pool, pool_gone)
    _feed(registry, ("", "v1", "pods"), lambda: operator.observer.pod, pod_gone)


def _feed(
    registry: kopf.OperatorRegistry,
    resource: tuple[str, str, str],
    seen: Callable[[], Callable[[kopf.RawBody], object]],
    gone: Callable[[kopf.RawBody], object],
) -> None:
    """Have Kopf hand over each object of a kind, as it is seen and when it is gone."""

    @kopf.on.event(*resource, registry=registry)
    async def on_event(event: kopf.RawEvent, **_: Any) -> None:
        (gone if event["type"] == "DELETED" else seen())(event["object"])


def register_life(registry: kopf.OperatorRegistry, operator: Operator) -> None:
    """Have Kopf start and stop the operator too: for plain `kopf run`, where nobody else can."""

    @kopf.on.startup(registry=registry)
    async def start(**_: Any) -> None:
        try:
            await operator.start()
        except (StartupError, LoginError) as error:
            raise kopf.PermanentError(str(error)) from error

    @kopf.on.cleanup(registry=registry)
    async def stop(**_: Any) -> None:
        await operator.stop()


class _Patience:
    """Kopf's pauses between tries: without end, since giving up would end the process in an outage."""

    def __iter__(self) -> Iterator[float]:
        return chain((1, 1, 2, 3), repeat(5))


def _configure(settings: kopf.OperatorSettings) -> None:
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.networking.error_backoffs = _Patience()
    settings.watching.chunk_size = PAGE_SIZE
    settings.watching.label_selectors["", "v1", "pods"] = DAEMON_PODS
    settings.queueing.idle_timeout = 0.5
    settings.persistence.finalizer = f"{GROUP}/unused"
    logging.getLogger("kopf.objects").setLevel(logging.WARNING)

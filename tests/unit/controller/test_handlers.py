"""Kopf is configured to write nothing and to try for ever, and its events reach the current observer."""

import asyncio
from typing import Any, cast

import kopf
import pytest

from provisioner_operator.controller.handlers import register, register_lifecycle
from provisioner_operator.controller.operator import Operator, StartupError
from provisioner_operator.kube.connect import LoginError
from provisioner_operator.kube.selectors import DAEMON_PODS


class Observations:
    """An observer that notes what it is given."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments: self.calls.append((name, *arguments))


class Stage:
    """The part of an operator that the handlers use."""

    def __init__(self, error: Exception | None = None) -> None:
        self.observer = Observations()
        self.life: list[str] = []
        self._error = error

    async def start(self) -> None:
        self.life.append("start")
        if self._error is not None:
            raise self._error

    async def stop(self) -> None:
        self.life.append("stop")


def registered(stage: Stage, *, lifecycle: bool = False) -> kopf.OperatorRegistry:
    registry = kopf.OperatorRegistry()
    (register_lifecycle if lifecycle else register)(registry, cast("Operator", stage))
    return registry


def watching_handlers(registry: kopf.OperatorRegistry) -> list[Any]:
    handlers = registry._watching.get_all_handlers()  # noqa: SLF001 - Kopf shows them nowhere else
    return [handler.fn for handler in handlers]


def activity(registry: kopf.OperatorRegistry, name: str) -> Any:
    handlers = registry._activities.get_all_handlers()  # noqa: SLF001 - Kopf shows them nowhere else
    return next(handler.fn for handler in handlers if str(handler.id).endswith(f".{name}"))


def an_event(kind: str) -> dict[str, Any]:
    return {"type": kind, "object": {"metadata": {"uid": "u", "namespace": "acme", "name": "one"}}}


@pytest.mark.parametrize("kind", ["ADDED", "MODIFIED", None])
def test_each_version_of_a_pool_or_pod_is_observed(kind: Any) -> None:
    stage = Stage()
    handlers = watching_handlers(registered(stage))
    assert len(handlers) == 2
    for handler in handlers:
        asyncio.run(handler(event=an_event(kind)))
    assert [call[0] for call in stage.observer.calls] == ["pool", "pod"]


def test_deletions_are_observed_with_the_last_version_of_a_pod() -> None:
    stage = Stage()
    for handler in watching_handlers(registered(stage)):
        asyncio.run(handler(event=an_event("DELETED")))
    assert stage.observer.calls == [
        ("pool_deleted", "u"),
        ("pod_deleted", "u", "acme", an_event("DELETED")["object"]),
    ]


def test_events_reach_the_observer_of_the_latest_start() -> None:
    stage = Stage()
    first = stage.observer
    handlers = watching_handlers(registered(stage))
    stage.observer = Observations()
    for handler in handlers:
        asyncio.run(handler(event=an_event("ADDED")))
    assert first.calls == []
    assert len(stage.observer.calls) == 2


def test_kopf_posts_no_events_watches_daemons_alone_and_tries_without_end() -> None:
    settings = kopf.OperatorSettings()
    asyncio.run(activity(registered(Stage()), "configure")(settings=settings))
    assert not settings.posting.enabled
    assert settings.scanning.disabled
    assert settings.watching.label_selectors["", "v1", "pods"] == DAEMON_PODS
    for _ in range(2):  # each request begins anew
        pauses = iter(cast("Any", settings.networking.error_backoffs))
        assert [next(pauses) for _ in range(1000)] == [1, 1, 2, 3, *[5] * 996]


def test_plain_kopf_starts_and_stops_the_operator() -> None:
    stage = Stage()
    registry = registered(stage, lifecycle=True)
    asyncio.run(activity(registry, "start")())
    asyncio.run(activity(registry, "stop")())
    assert stage.life == ["start", "stop"]


@pytest.mark.parametrize("error", [StartupError("install the definitions"), LoginError("no cluster")])
def test_a_cluster_that_cannot_be_served_ends_plain_kopf(error: Exception) -> None:
    registry = registered(Stage(error), lifecycle=True)
    with pytest.raises(kopf.PermanentError, match=str(error)):
        asyncio.run(activity(registry, "start")())

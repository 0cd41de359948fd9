"""Kopf starts and stops the operator, writes nothing, tries for ever, and its events reach the current observer."""

import asyncio
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any, cast

import kopf
import pytest

from provisioner_operator.controller.handlers import register
from provisioner_operator.controller.operator import DRAIN_SECONDS, Operator
from provisioner_operator.controller.supervisor import TaskEndedError
from provisioner_operator.kube.selectors import DAEMON_PODS
from support.virtual_time import now, virtual_time


class Observations:
    """An observer that notes what it is given."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments: self.calls.append((name, *arguments))


class Stage:
    """The part of an operator that the handlers use."""

    def __init__(self) -> None:
        self.observer = Observations()
        self.life: list[str] = []
        self.kopf_tasks: set[str] = set()
        self.failure: Exception | None = None
        self.sessions: list[object] = []
        self.connection = SimpleNamespace(server="https://scripted.invalid", another_session=self._open_session)

    async def start(self, *, kopf_tasks: Iterable[asyncio.Task[None]]) -> None:
        self.life.append("start")
        self.kopf_tasks = {task.get_name() for task in kopf_tasks}

    async def stop(self) -> None:
        self.life.append("stop")

    def _open_session(self) -> object:
        self.sessions.append(object())
        return self.sessions[-1]


def registered(stage: Stage) -> kopf.OperatorRegistry:
    registry = kopf.OperatorRegistry()
    register(registry, cast("Operator", stage))
    return registry


def watching_handlers(registry: kopf.OperatorRegistry) -> list[Any]:
    handlers = registry._watching.get_all_handlers()  # noqa: SLF001 - Kopf shows them nowhere else
    return [handler.fn for handler in handlers]


def activity(registry: kopf.OperatorRegistry, name: str) -> Any:
    handlers = registry._activities.get_all_handlers()  # noqa: SLF001 - Kopf shows them nowhere else
    return next(handler.fn for handler in handlers if str(handler.id).rpartition(".")[2] == name)


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
    asyncio.run(activity(registered(Stage()), "start")(settings=settings))
    assert not settings.posting.enabled
    assert settings.scanning.disabled
    assert settings.watching.label_selectors["", "v1", "pods"] == DAEMON_PODS
    largest_page = cast("int", settings.watching.chunk_size) * 1.5 * 2**20
    assert largest_page < 100 * 2**20, "the largest Pods that etcd takes fit beside all else into 512 MiB"
    for _ in range(2):  # each request begins anew
        pauses = iter(cast("Any", settings.networking.error_backoffs))
        assert [next(pauses) for _ in range(1000)] == [1, 1, 2, 3, *[5] * 996]


def test_the_operator_starts_and_stops_with_kopf() -> None:
    stage = Stage()
    registry = registered(stage)
    asyncio.run(activity(registry, "start")(settings=kopf.OperatorSettings()))
    asyncio.run(activity(registry, "stop")())
    assert stage.life == ["start", "stop"]


def test_the_operator_is_told_of_kopfs_tasks() -> None:
    stage = Stage()

    async def run() -> None:
        orchestrator = asyncio.create_task(asyncio.sleep(0), name="orchestrator")
        await activity(registered(stage), "start")(settings=kopf.OperatorSettings())
        await orchestrator

    asyncio.run(run())
    assert "orchestrator" in stage.kopf_tasks


def test_a_failure_of_the_operator_ends_plain_kopf_with_an_error() -> None:
    stage = Stage()
    stage.failure = TaskEndedError("the task 'watch' has ended")
    with pytest.raises(kopf.PermanentError, match="'watch' has ended"):
        asyncio.run(activity(registered(stage), "stop")())
    assert stage.life == ["stop"]


def test_a_kopf_that_hangs_while_it_ends_is_killed_soon_after_the_time_that_a_stop_takes() -> None:
    settings = kopf.OperatorSettings()
    asyncio.run(activity(registered(Stage()), "start")(settings=settings))
    assert 2 * DRAIN_SECONDS < cast("float", settings.process.ultimate_exiting_timeout) <= 60


@virtual_time
async def test_kopf_closes_only_sessions_of_its_own_and_logs_in_again_without_haste() -> None:
    stage = Stage()
    login = activity(registered(stage), "login")
    given = [await login() for _ in range(3)]
    assert [each.aiohttp_session for each in given] == stage.sessions
    assert len({id(session) for session in stage.sessions}) == 3
    assert now() == 10

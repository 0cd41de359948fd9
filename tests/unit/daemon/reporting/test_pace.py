"""Heartbeats of a daemon that runs nothing, in virtual time: how often they are sent, and what they announce."""

import asyncio
from typing import Any

import pytest
from typing_extensions import override

from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.kube.errors import UnreachableError
from support.virtual_time import EPOCH
from unit.daemon.builders import a_daemon_body
from unit.daemon.reporting.beating import A_RUN, IDLE_INTERVAL, INTERVAL, PATH, Beating
from unit.daemon.stored_objects import StoredObjects


def an_idle_daemon(**body: Any) -> Beating:
    world = Beating(**body)
    world.jobs = []
    return world


def test_a_daemon_that_runs_nothing_reports_six_times_less_often_and_announces_it() -> None:
    world = an_idle_daemon()
    world.for_seconds(200)
    assert world.sent == [
        0,
        INTERVAL,
        INTERVAL + IDLE_INTERVAL,
        INTERVAL + 2 * IDLE_INTERVAL,
        INTERVAL + 3 * IDLE_INTERVAL,
    ]
    assert world.status["idleHeartbeatSeconds"] == IDLE_INTERVAL


def test_a_run_is_reported_soon_and_from_then_on_as_often_as_usual() -> None:
    world = an_idle_daemon()
    world.for_seconds(65, (40, lambda: world.jobs.append(A_RUN)), (40, world.notify()))
    assert world.sent == [0, 10, 40, 50, 60]
    assert world.status["idleHeartbeatSeconds"] == 0


def test_two_reports_after_the_last_run_come_as_often_as_usual() -> None:
    world = Beating()
    world.for_seconds(100, (15, world.jobs.clear), (15, world.notify()))
    assert world.sent == [0, 10, 15, 25, 85]


def test_definitions_that_drop_the_announcement_keep_the_usual_interval() -> None:
    class Older(StoredObjects):
        @override
        async def json_patch(self, path: str, patch: JsonPatch) -> dict[str, Any]:
            body = await super().json_patch(path, patch)
            body["status"].pop("idleHeartbeatSeconds")
            return body

    world = an_idle_daemon()
    world.api = Older({PATH: a_daemon_body()})
    world.for_seconds(35)
    assert world.sent == [0, 10, 20, 30]


def test_a_daemon_whose_object_is_being_deleted_reports_as_often_as_usual() -> None:
    world = an_idle_daemon()

    def delete() -> None:
        body = world.api.objects[PATH]
        meta = body["metadata"] | {"deletionTimestamp": "2027-01-15T08:00:00Z"}
        world.api.store(PATH, body | {"metadata": meta})

    world.for_seconds(95, (40, delete))
    assert world.sent == [0, 10, 70, 80, 90]


@pytest.mark.parametrize(("at", "waited"), [(5, 0), (40, 1)])
def test_what_a_daemon_runs_is_shown_before_it_takes_a_job_only_if_it_seems_to_be_at_rest(
    at: float, waited: float
) -> None:
    world = an_idle_daemon()
    shown: list[float] = []

    async def show() -> None:
        world.jobs.append(A_RUN)
        await world.heartbeat.show_runs()
        shown.append(asyncio.get_running_loop().time() - EPOCH)

    world.api.delay = 1.0
    tasks: list[asyncio.Task[None]] = []
    world.for_seconds(60, (at, lambda: tasks.append(asyncio.create_task(show()))))
    assert shown == [at + waited]
    assert world.status["idleHeartbeatSeconds"] == 0


def test_runs_are_shown_only_by_a_heartbeat_that_was_begun_since_and_succeeds() -> None:
    world = an_idle_daemon()
    shown: list[float] = []

    async def show() -> None:
        world.jobs.append(A_RUN)
        await world.heartbeat.show_runs()
        shown.append(asyncio.get_running_loop().time() - EPOCH)

    tasks: list[asyncio.Task[None]] = []
    steps = (
        (30, world.outage(UnreachableError("away"))),
        (40, lambda: tasks.append(asyncio.create_task(show()))),
        (45, world.outage(None)),
    )
    world.for_seconds(60, *steps)
    assert shown == [46]


def test_what_waits_for_a_heartbeat_is_canceled_when_there_are_none_any_more() -> None:
    world = an_idle_daemon()
    tasks: list[asyncio.Task[None]] = []
    steps = (
        (30, world.outage(UnreachableError("away"))),
        (40, lambda: tasks.append(asyncio.create_task(world.heartbeat.show_runs()))),
    )
    world.for_seconds(50, *steps)
    assert tasks[0].cancelled()

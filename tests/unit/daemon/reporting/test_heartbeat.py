"""Heartbeats in virtual time: when they are sent, what they renew, and what ends them."""

import asyncio
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from typing_extensions import override

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.daemon.reporting.heartbeat import DaemonDeletedError, Heartbeat, TakenOverError
from provisioner_operator.daemon.reporting.report import RunningJob
from provisioner_operator.kube.errors import (
    ForbiddenError,
    KubeError,
    NotFoundError,
    PreconditionFailedError,
    UnreachableError,
)
from support.virtual_time import EPOCH, run_in_virtual_time
from unit.daemon.builders import a_daemon_body
from unit.daemon.reporting.beating import A_RUN, INTERVAL, PATH, Beating
from unit.daemon.stored_objects import StoredObjects

BATCH_SECONDS = 2.0
FASTEST_SECONDS = 0.3
RETRY_SECONDS = 2.0


@pytest.mark.parametrize("body", [{}, {"status": {"completedJobs": 4, "instance": "i0"}}])
def test_the_first_heartbeat_registers_the_instance_and_continues_its_counts(body: dict[str, Any]) -> None:
    world = Beating(**body)
    world.for_seconds(1)
    assert world.sent == [0]
    assert world.status["instance"] == "i1"
    assert world.status["completedJobs"] == body.get("status", {}).get("completedJobs", 0)
    assert world.heartbeat.registered.is_set()


def test_heartbeats_come_at_the_interval_and_renew_the_contact_from_when_they_were_sent() -> None:
    world = Beating()
    world.api.delay = 3.0
    world.for_seconds(30)
    assert world.sent == [0, INTERVAL + 3, 2 * (INTERVAL + 3)]
    assert world.heartbeat.contact.sent == EPOCH + world.sent[-1]
    assert world.heartbeat.contact.lost_after == 300


def test_a_change_waits_until_the_last_heartbeat_is_a_little_old_and_others_join_it() -> None:
    world = Beating()
    world.for_seconds(9, *[(at, world.notify()) for at in (0.1, 0.2, 0.9, 5.0)])
    assert world.sent == [0, BATCH_SECONDS, 5.0]


def test_a_shutdown_is_reported_at_once() -> None:
    world = Beating()
    world.for_seconds(9, (0.5, world.notify(at_once=True)))
    assert world.sent == [0, 0.5]


def test_a_change_while_a_heartbeat_is_being_sent_gets_one_of_its_own() -> None:
    world = Beating()
    world.api.delay = 1.0
    job = RunningJob("dev-8", "u8", "dev-2", 0.0)
    world.for_seconds(9, (0.5, lambda: world.jobs.append(job)), (0.5, world.notify()))
    assert world.sent == [0, 1.0 + BATCH_SECONDS]
    assert [each["name"] for each in world.status["currentJobs"]] == ["dev-7", "dev-8"]


def test_very_short_intervals_have_a_floor() -> None:
    world = Beating(lostAfterSeconds=10)
    world.for_seconds(3, *[(at / 100, world.notify()) for at in range(300)])
    assert [later - earlier for earlier, later in pairwise(world.sent)] == pytest.approx([FASTEST_SECONDS] * 9)


@pytest.mark.parametrize("error", [UnreachableError("away"), ForbiddenError(403, "no")])
def test_an_outage_is_logged_once_and_ends_with_the_next_heartbeat(
    error: KubeError, caplog: pytest.LogCaptureFixture
) -> None:
    world = Beating()
    world.for_seconds(100, (15, world.outage(error)), (55, world.outage(None)))
    failed = [at for at in world.sent if 15 <= at < 55]
    assert max(later - earlier for earlier, later in pairwise(failed)) == RETRY_SECONDS
    assert min(at for at in world.sent if at >= 55) <= 55 + RETRY_SECONDS
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(warnings) == 1
    assert "The daemon stops its runs 240 s after the last heartbeat that succeeded" in warnings[0]
    assert ("Bind the ClusterRole provisioner-daemon, and" in warnings[0]) is isinstance(error, ForbiddenError)


def test_no_heartbeat_that_failed_renews_the_contact() -> None:
    world = Beating()
    world.for_seconds(400, (15, world.outage(UnreachableError("away"))))
    assert world.heartbeat.contact.sent == EPOCH + 10
    assert world.heartbeat.contact.breaches == 1


def test_a_request_that_hangs_is_abandoned_for_the_next_one() -> None:
    world = Beating()

    def hang() -> None:
        world.api.delay = 3600.0

    def recover() -> None:
        world.api.delay = 0.0

    world.for_seconds(100, (5, hang), (15, recover))
    assert world.sent[:3] == [0, 10, 10 + 30 + RETRY_SECONDS]
    assert world.heartbeat.contact.sent > EPOCH + 40


def test_a_breach_is_counted_also_after_contact_is_back() -> None:
    world = Beating()
    world.for_seconds(300, (15, world.outage(UnreachableError("away"))), (260, world.outage(None)))
    assert world.heartbeat.contact.sent > EPOCH + 260
    assert world.heartbeat.contact.breaches == 1


def edited(world: Beating, **spec: Any) -> Callable[[], None]:
    def edit() -> None:
        body = world.api.objects[PATH]
        world.api.store(PATH, body | {"spec": body["spec"] | spec})

    return edit


def test_a_shorter_time_counts_at_once() -> None:
    world = Beating()
    world.for_seconds(11, (5, edited(world, lostAfterSeconds=60)))
    assert world.heartbeat.contact.lost_after == 60


def test_a_longer_time_counts_only_once_it_was_reported() -> None:
    world = Beating(lostAfterSeconds=60)
    world.for_seconds(2.2, (1, edited(world, lostAfterSeconds=300)))
    assert (world.sent, world.heartbeat.contact.lost_after, world.status["lostAfterSeconds"]) == ([0, 2], 60, 60)
    world = Beating(lostAfterSeconds=60)
    world.for_seconds(9, (1, edited(world, lostAfterSeconds=300)))
    assert (world.heartbeat.contact.lost_after, world.status["lostAfterSeconds"]) == (300, 300)


def replaced(world: Beating, **changes: Any) -> Callable[[], None]:
    def replace() -> None:
        world.api.store(PATH, a_daemon_body(**changes))

    return replace


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"status": {"instance": "i2"}}, TakenOverError, "taken over by another process of the same name"),
        ({"uid": "another", "status": {"instance": "i1"}}, DaemonDeletedError, "deleted or recreated"),
    ],
    ids=["instance", "uid"],
)
def test_a_daemon_whose_object_is_no_longer_its_own_stops(
    changes: dict[str, Any], error: type[Exception], said: str
) -> None:
    world = Beating()
    with pytest.raises(error, match=f"acme/d1 was {said}"):
        world.for_seconds(60, (5, replaced(world, **changes)))
    assert world.sent == [0, INTERVAL]


def test_a_daemon_whose_object_was_deleted_stops() -> None:
    world = Beating()
    with pytest.raises(DaemonDeletedError):
        world.for_seconds(60, (5, lambda: world.api.remove(PATH)))


def test_an_answer_that_cannot_be_parsed_renews_the_contact_and_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = Beating(capacity=2)

    def change(capacity: object) -> Callable[[], None]:
        return lambda: world.api.objects[PATH]["spec"].update(capacity=capacity)

    capacities: list[int] = []
    steps = (
        (5, change("many")),
        (25, lambda: capacities.append(world.heartbeat.daemon.spec.capacity)),
        (26, change(3)),
    )
    world.for_seconds(35, *steps)
    assert world.heartbeat.contact.sent == EPOCH + 30
    assert (capacities, world.heartbeat.daemon.spec.capacity) == ([2], 3)
    assert ["Cannot parse this daemon's object" in each.getMessage() for each in caplog.records] == [True]


def test_a_daemon_that_never_registered_takes_over_from_its_former_process() -> None:
    world = Beating(status={"instance": "i0"})
    world.api.refusals = [PreconditionFailedError(422, "denied by a policy")]
    world.for_seconds(5)
    assert world.status["instance"] == "i1"


def test_a_refusal_that_is_no_takeover_is_an_outage() -> None:
    world = Beating()

    def refuse() -> None:
        world.api.refusals = [PreconditionFailedError(422, "denied by a policy")] * 2

    world.for_seconds(30, (5, refuse))
    assert world.sent == [0, 10, 12, 14, 24]


def test_a_takeover_that_cannot_be_read_is_an_outage_until_it_can() -> None:
    class HalfAway(StoredObjects):
        @override
        async def get(self, path: str, **parameters: str) -> dict[str, Any]:
            await super().get(path, **parameters)
            raise UnreachableError("away")

    world = Beating()
    world.api = HalfAway({PATH: a_daemon_body()})
    world.for_seconds(30, (5, replaced(world, status={"instance": "i2"})))
    assert len(world.sent) > 5


def test_a_deleted_object_ends_the_daemon_also_where_a_test_failed_first() -> None:
    class Deleted(StoredObjects):
        @override
        async def get(self, path: str, **parameters: str) -> dict[str, Any]:
            raise NotFoundError(404, f"{path} not found")

    world = Beating()
    world.api = Deleted({PATH: a_daemon_body()})
    with pytest.raises(DaemonDeletedError):
        world.for_seconds(60, (5, replaced(world, status={"instance": "i2"})))


def test_ended_jobs_are_counted_in_the_next_heartbeat() -> None:
    world = Beating(status={"failedJobs": 1, "consecutiveFailures": 1})
    world.for_seconds(15, (5, lambda: world.heartbeat.tally.count(Phase.FAILED, started=0, now=60)))
    assert (world.status["failedJobs"], world.status["consecutiveFailures"]) == (2, 2)


def test_the_last_heartbeat_is_sent_after_the_one_before_though_its_sender_was_canceled() -> None:
    world = Beating()

    async def run() -> None:
        heartbeat = Heartbeat(world.api, world.api.objects[PATH], instance="i1", report=world.report)
        await heartbeat.beat()
        world.api.delay = 2.0
        keeping = asyncio.create_task(heartbeat.keep_beating())
        await asyncio.sleep(1)
        keeping.cancel()
        world.jobs = [A_RUN, RunningJob("dev-8", "u8", "dev-2", 0.0)]
        await heartbeat.beat()

    run_in_virtual_time(run())
    assert world.sent == [0, 0, 2]
    assert len(world.status["currentJobs"]) == 2


def test_a_heartbeat_that_was_given_up_and_arrives_late_replaces_no_later_one() -> None:
    class Recording(StoredObjects):
        @override
        async def json_patch(self, path: str, patch: JsonPatch) -> dict[str, Any]:
            patches.append((path, patch))
            return await super().json_patch(path, patch)

    patches: list[tuple[str, JsonPatch]] = []
    world = Beating()
    world.api = Recording({PATH: a_daemon_body()})
    world.for_seconds(25)
    with pytest.raises(PreconditionFailedError):
        run_in_virtual_time(world.api.json_patch(*patches[1]))


def test_a_heartbeat_whose_answer_was_lost_does_not_hold_up_the_next_ones() -> None:
    world = Beating()

    def lose_an_answer() -> None:
        world.api.lost_answers = 1

    world.for_seconds(25, (5, lose_an_answer))
    assert world.sent == [0, 10, 12, 14, 24]
    assert world.heartbeat.contact.sent == EPOCH + 24

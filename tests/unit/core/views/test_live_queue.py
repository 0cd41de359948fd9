"""The view of the queue that follows each change answers as one that is built anew from the same objects."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner_operator.api.v1alpha1.enums import DaemonState, Phase
from provisioner_operator.core.estimates.run_history import RunHistory
from provisioner_operator.core.model.records import Daemon, Job, ReportedRun, ReportedState
from provisioner_operator.core.pools.records import Pool
from provisioner_operator.core.scheduling.queueing.records import Queue
from provisioner_operator.core.views.fit import fits
from provisioner_operator.core.views.live_queue import LiveQueue
from provisioner_operator.core.views.queue_view import Place
from provisioner_operator.core.views.snapshot import Snapshot
from provisioner_operator.core.views.wait_estimate import estimates_in
from support.builders.core import (
    NOON,
    a_daemon,
    a_job,
    a_running_job,
    an_assigned_job,
    an_assignment,
    an_ended_job,
)
from support.builders.pools import a_pool
from support.builders.queues import a_policy, policies

NAMES = st.sampled_from(["dev-1", "dev-2", "dev-10", "a", "b", "c"])
DAEMONS = st.sampled_from(["one", "two", "three"])
NAMESPACES = ("acme", "umbrella")
TAGS = st.sampled_from([{}, {"x": "1"}, {"x": "1", "y": "2"}])


def heartbeat(seconds: float) -> str:
    return datetime.fromtimestamp(NOON + seconds, UTC).isoformat()


@st.composite
def jobs(draw: st.DrawFn) -> Job:
    """A job of any phase; a name is always of the same namespace, workspace and time."""
    name = draw(NAMES)
    phase = draw(st.sampled_from([*Phase, Phase.PENDING, Phase.PENDING]))
    is_assigned = phase in (Phase.RUNNING, Phase.CANCELING) or draw(st.booleans())
    return a_job(
        name,
        namespace=NAMESPACES[name == "c"],
        workspace="dev" if name.startswith("dev") else None,
        created=len(name) // 3,
        phase=phase,
        priority=draw(st.sampled_from([0, 0, 1])),
        initiator=draw(st.sampled_from(["ann", "bob"])),
        template=draw(st.sampled_from(["gpu", None])),
        tags=draw(TAGS),
        suspend=draw(st.sampled_from([False, False, True])),
        cancel=draw(st.sampled_from([False, False, True])),
        deleting=draw(st.sampled_from([False, False, True])),
        assignment=an_assignment(draw(DAEMONS)) if is_assigned and draw(st.sampled_from([True, True, False])) else None,
        started=NOON if phase is not Phase.PENDING else None,
    )


@st.composite
def daemons(draw: st.DrawFn) -> Daemon:
    """A daemon with any heartbeat, which may list any runs."""
    name = draw(DAEMONS)
    listed = draw(st.frozensets(NAMES, max_size=2))
    runs = {ReportedRun(f"uid-of-{job}", draw(st.sampled_from([None, "dev"]))) for job in listed}
    fields: dict[str, Any] = {
        "state": draw(st.sampled_from(DaemonState)),
        "cordoned": draw(st.booleans()),
        "capacity": draw(st.integers(1, 2)),
        "deleting": draw(st.sampled_from([False, False, True])),
        "pod_uid": draw(st.sampled_from([None, "pod"])),
        "heartbeat": draw(st.sampled_from([None, heartbeat(-60), heartbeat(0), heartbeat(-30)])),
    }
    namespace = NAMESPACES[name == "three"]
    unsaved = draw(st.sampled_from([(), (), (), (ReportedState("dev", "dev-0"),)]))
    return replace(
        a_daemon(name, namespace=namespace, tags=draw(TAGS)), runs=frozenset(runs), unsaved=unsaved, **fields
    )


@st.composite
def pools(draw: st.DrawFn) -> Pool:
    """A pool that may or may not create daemons."""
    return a_pool(draw(st.sampled_from(["p", "q"])), tags=draw(TAGS), replicas=draw(st.integers(0, 2)))


class World:
    """The objects that exist, and the view that has followed each of their changes."""

    def __init__(self) -> None:
        self.live = LiveQueue()
        self.live.advance(NOON)
        self.jobs: dict[str, Job] = {}
        self.daemons: dict[str, Daemon] = {}
        self.pools: dict[str, Pool] = {}
        self.queues: dict[str, Queue] = {}

    def snapshot(self) -> Snapshot:
        objects = (self.jobs.values(), self.daemons.values(), self.pools.values(), self.queues.values())
        return Snapshot(*objects, now=self.live.now)

    def take(self, step: object) -> None:
        match step:
            case Job():
                self.jobs[step.uid] = step
                self.live.observe_job(step)
            case Daemon():
                self.daemons[step.uid] = step
                self.live.observe_daemon(step)
            case Pool():
                self.pools[step.uid] = step
                self.live.observe_pool(step)
            case Queue():
                self.queues[step.uid] = step
                self.live.observe_queue(step)
            case float():
                self.live.advance(self.live.now + step)
            case str():
                self._forget(step)
            case _:
                pytest.fail(f"no step: {step!r}")

    def _forget(self, uid: str) -> None:
        self.jobs.pop(uid, None)
        self.daemons.pop(uid, None)
        self.pools.pop(uid, None)
        self.queues.pop(uid, None)
        self.live.forget_queue(uid)
        self.live.forget_job(uid)
        self.live.forget_daemon(uid)
        self.live.forget_pool(uid)


QUEUES = st.builds(
    lambda namespace, policy: Queue(namespace, "default", f"queue of {namespace}", 1, 1, policy),
    st.sampled_from(NAMESPACES),
    policies(),
)
GONE = st.one_of(NAMES, DAEMONS).map(lambda name: f"uid-of-{name}") | st.sampled_from(
    [a_pool("p").uid, "queue of acme"]
)
STEPS = st.lists(st.one_of(jobs(), jobs(), daemons(), pools(), QUEUES, GONE, st.sampled_from([5.0, 30.0])), max_size=25)


@given(STEPS)
def test_whatever_happened_it_answers_as_a_snapshot_of_the_same_objects(steps: Sequence[object]) -> None:
    world = World()
    for step in steps:
        world.take(step)
        # Answers are asked for in between, so that none is kept for too long.
        for job in world.jobs.values():
            world.live.reason_of(job)
    live, snapshot = world.live, world.snapshot()

    assert {demand: list(queue) for demand, queue in live.queues.items()} == {
        demand: list(queue) for demand, queue in snapshot.queues.items()
    }
    for job in world.jobs.values():
        assert live.place_of(job.uid) == snapshot.place_of(job.uid)
        assert live.busy(job) == snapshot.busy(job)
        assert live.held(job) == snapshot.held(job)
        assert live.reason_of(job) == snapshot.reason_of(job)
        assert live.is_stuck(job) == snapshot.is_stuck(job)
        assert live.explain(job.demand) == snapshot.explain(job.demand)
        assert fits(job.demand, live) == fits(job.demand, snapshot)
    assert estimates_in(live, "acme", HISTORY) == estimates_in(snapshot, "acme", HISTORY)
    for daemon in world.daemons.values():
        assert live.used(daemon) == snapshot.used(daemon)
        assert live.is_online(daemon) == snapshot.is_online(daemon)
        assert live.daemon(daemon.uid) == daemon


HISTORY = RunHistory([an_ended_job("x", finished=10), an_ended_job("y", finished=30)] * 3)


@given(STEPS)
def test_stuck_jobs_are_those_of_which_it_says_so(steps: Sequence[object]) -> None:
    world = World()
    for step in steps:
        world.take(step)
        world.live.count_stuck(NAMESPACES)
    snapshot = world.snapshot()

    for namespaces in (NAMESPACES, NAMESPACES[:1], NAMESPACES[1:], ()):
        stuck = {job.uid for job in snapshot.jobs.values() if job.namespace in namespaces and snapshot.is_stuck(job)}
        assert set(world.live.stuck_jobs(namespaces)) == stuck
        assert world.live.count_stuck(namespaces) == len(stuck)


def test_a_daemon_goes_offline_when_its_heartbeats_stop() -> None:
    live, job = LiveQueue(), a_job()
    live.advance(NOON)
    daemon = replace(a_daemon(), heartbeat=heartbeat(0))
    live.observe_daemon(daemon)
    live.observe_job(job)

    assert live.advance(NOON + 39) == []
    assert live.reason_of(job) == ""
    assert live.advance(NOON + 41) == [daemon]
    assert live.reason_of(job) == "DaemonsOffline"
    assert live.advance(NOON + 42) == []


def test_a_daemon_that_said_it_is_offline_does_not_go_offline_again() -> None:
    live = LiveQueue()
    live.advance(NOON)
    daemon = replace(a_daemon(), heartbeat=heartbeat(0))
    live.observe_daemon(daemon)
    live.observe_daemon(replace(daemon, state=DaemonState.OFFLINE))

    assert live.advance(NOON + 41) == []


def test_a_daemon_says_whether_its_heartbeat_brings_it_back() -> None:
    live = LiveQueue()
    live.advance(NOON + 60)
    silent = replace(a_daemon(), heartbeat=heartbeat(0))

    assert not live.observe_daemon(silent)
    assert live.observe_daemon(replace(silent, heartbeat=heartbeat(59)))
    assert not live.observe_daemon(replace(silent, heartbeat=heartbeat(60)))
    assert live.observe_daemon(replace(silent, heartbeat=heartbeat(61), state=DaemonState.OFFLINE))


def test_a_clock_that_goes_back_changes_nothing() -> None:
    live = LiveQueue()
    live.advance(NOON)
    live.advance(NOON - 100)
    assert live.now == NOON


def test_places_follow_starts_and_ends() -> None:
    live = LiveQueue()
    for name in ("dev-1", "dev-2"):
        live.observe_job(a_job(name, workspace="dev"))
    live.observe_job(a_job("other"))

    assert live.place_of("uid-of-dev-1") == Place(1, 2)
    assert live.place_of("uid-of-dev-2") is None
    live.observe_job(a_running_job("dev-1", workspace="dev"))
    assert live.place_of("uid-of-other") == Place(1, 1)
    live.observe_job(an_ended_job("dev-1", workspace="dev"))
    assert live.place_of("uid-of-dev-2") == Place(1, 2)


def test_of_two_runs_on_a_lost_daemon_one_may_end() -> None:
    live = LiveQueue()
    for name in ("one", "two"):
        live.observe_job(a_running_job(name))
    live.forget_job("uid-of-one")
    assert list(live.stuck_jobs(NAMESPACES)) == ["uid-of-two"]
    assert list(live.stuck_jobs(NAMESPACES[1:])) == []
    live.forget_job("uid-of-two")
    assert live.count_stuck(NAMESPACES) == 0


def test_a_run_is_stuck_if_its_daemon_is_offline() -> None:
    live = LiveQueue()
    daemon = replace(a_daemon("one"), heartbeat=heartbeat(0))
    live.observe_daemon(daemon)
    live.observe_job(a_running_job(daemon="one"))
    assert live.count_stuck(NAMESPACES) == 0

    live.observe_daemon(replace(daemon, state=DaemonState.OFFLINE))
    assert list(live.stuck_jobs(NAMESPACES)) == ["uid-of-job"]


def test_a_job_waits_for_the_last_slot_while_a_run_has_it() -> None:
    live, job = LiveQueue(), a_job("next")
    live.observe_daemon(replace(a_daemon("one"), heartbeat=heartbeat(0), capacity=1))
    live.observe_job(job)
    assert live.reason_of(job) == ""

    live.observe_job(a_running_job(daemon="one"))
    assert live.reason_of(job) == "DaemonsBusy"


def test_an_assignment_that_is_withdrawn_puts_the_job_back() -> None:
    live = LiveQueue()
    live.observe_job(an_assigned_job())
    assert live.place_of("uid-of-job") is None
    live.observe_job(a_job())
    assert live.place_of("uid-of-job") == Place(1, 1)


def test_an_assigned_job_has_its_workspace_before_an_older_one() -> None:
    live, older = LiveQueue(), a_job("dev-1", workspace="dev")
    live.observe_job(older)
    live.observe_job(an_assigned_job("dev-2", workspace="dev"))
    busy = live.busy(older)
    assert busy is not None
    assert busy.details == "First goes dev-2."
    assert live.place_of(older.uid) is None


def test_a_job_waits_for_the_daemons_of_a_new_pool() -> None:
    live, job = LiveQueue(), a_job()
    live.observe_job(job)
    assert live.reason_of(job) == "NoMatchingDaemon"
    live.observe_pool(a_pool())
    assert live.reason_of(job) == "DaemonsStarting"


@pytest.mark.parametrize(
    "forget", [LiveQueue.forget_job, LiveQueue.forget_daemon, LiveQueue.forget_pool, LiveQueue.forget_queue]
)
def test_what_was_never_known_can_be_forgotten(forget: Callable[[LiveQueue, str], None]) -> None:
    live = LiveQueue()
    forget(live, "unknown")
    assert not live.jobs


def test_places_and_estimates_follow_the_policy_and_what_its_groups_use() -> None:
    live = LiveQueue()
    live.advance(NOON)
    live.observe_queue(Queue("acme", "default", "uid-of-queue", 1, 1, a_policy()))
    busy = a_running_job("busy", initiator="cleo")
    live.observe_daemon(replace(a_daemon(runs=(busy,)), heartbeat=heartbeat(0)))
    live.observe_job(busy)
    for number in range(3):
        live.observe_job(a_job(f"anns-{number}", initiator="ann"))
    bobs = a_job("bobs", initiator="bob", created=5)
    live.observe_job(bobs)
    assert live.place_of(bobs.uid) == Place(2, 4)

    live.observe_job(an_ended_job("past", initiator="ann", started=-60))
    assert live.place_of(bobs.uid) == Place(1, 4)
    live.forget_job("uid-of-past")
    assert live.place_of(bobs.uid) == Place(2, 4)
    live.advance(NOON + 10_000_000)
    assert live.place_of(bobs.uid) == Place(2, 4)

    live.forget_queue("uid-of-queue")
    assert live.place_of(bobs.uid) == Place(4, 4)

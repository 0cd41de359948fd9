"""The fingerprint of a state: the same for states with the same future, another one for every other state."""

import pytest

from model.explore import replay
from model.fingerprint import FIRST_VERSION
from model.open_schedule import BEGINNING
from model.scene import Scene
from model.small_world import SmallWorld
from provisioner_operator.core.jobs.decisions import Assign
from simulation.server import JOB

TWO_JOBS = Scene(daemons=2, jobs=("dev", "ml"), wishes=("cancel job-1",))


def after(*steps: str) -> SmallWorld:
    world = replay(lambda: SmallWorld(TWO_JOBS), steps)
    assert isinstance(world, SmallWorld)
    return world


def usual(count: int) -> list[str]:
    world, steps = SmallWorld(TWO_JOBS), []
    for _ in range(count):
        steps.append(world.actions()[0])
        world.apply(steps[-1])
    return steps


def test_the_same_steps_lead_to_the_same_state() -> None:
    steps = usual(40)
    assert after(*steps).fingerprint() == after(*steps).fingerprint()


def test_no_step_of_a_world_leads_back() -> None:
    world, seen = SmallWorld(TWO_JOBS), set()
    while actions := world.actions():
        assert world.fingerprint() not in seen
        seen.add(world.fingerprint())
        world.apply(actions[0])


def test_independent_steps_lead_to_the_same_state_in_either_order() -> None:
    """Two requests about different objects get other versions, in the other order."""
    steps = ["controller-1: event job-1", "controller-1: event job-2"]
    first, second = (f"controller-1: request Assign of acme/job-{number}" for number in (1, 2))
    one, other = after(*steps, first, second), after(*steps, second, first)
    versions = [{body["metadata"]["resourceVersion"] for body in world.server.of_kind(JOB)} for world in (one, other)]
    assert versions[0] == versions[1]
    # What remains to be delivered was sent in another order, which the usual order of steps depends on.
    deliver = ["controller-1: event job-1", "controller-1: event job-2"]
    deliver += [f"controller-1: answer done to Assign of acme/job-{number}" for number in (1, 2)]
    for world in (one, other):
        for name in deliver:
            world.apply(name)
    rest = [each for each in one.actions() if "event" in each]
    for world in (one, other):
        for name in rest:
            world.apply(name)
    assert one.fingerprint() == other.fingerprint()


@pytest.mark.parametrize("surprise", ["cancel job-1", "daemon-1 dies", "daemon-1 is cut off briefly", "time passes"])
def test_a_surprise_leads_to_another_state(surprise: str) -> None:
    assert after(surprise).fingerprint() != after().fingerprint()


def test_the_same_steps_at_another_time_and_version_lead_to_the_same_state(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = usual(40)
    world = after(*steps)
    monkeypatch.setattr("model.open_schedule.BEGINNING", BEGINNING + 5000)
    monkeypatch.setattr("model.small_world.FIRST_VERSION", FIRST_VERSION + 5000)
    later = after(*steps)
    assert later.schedule.now == world.schedule.now + 5000
    assert later.fingerprint() == world.fingerprint()


def test_a_moment_later_is_another_state() -> None:
    world = after()
    before = world.fingerprint()
    world.schedule.now += 1
    assert world.fingerprint() != before


def test_what_a_controller_has_in_mind_counts() -> None:
    """Nothing outside the controller differs, but its next decision does."""
    world = after("controller-1: event job-1", "controller-1: event job-2")
    before = world.fingerprint()
    controller = world.controller
    assert controller is not None
    job = next(controller.mirror.jobs())
    daemon, _ = next(controller.mirror.daemons())
    controller.mirror.settled(Assign(job, daemon), controller.now)
    assert world.fingerprint() != before

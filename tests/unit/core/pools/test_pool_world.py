"""Whatever happens, and in whatever order: no job is lost to a pool, and in the end it has what it wants."""

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner_operator.core.pools.records import PodTemplate, PoolStatus
from support.builders.pool_world import PoolWorld, a_world
from support.builders.pools import scaling

STEPS = 150
CALM_ROUNDS = 200
"""Far more looks than any of these pools needs to come to rest."""


def scale(world: PoolWorld, chance: Random) -> None:
    if world.pool is not None and world.pool.autoscaling is None:
        change(world, replicas=chance.randint(0, 5))


def change_image(world: PoolWorld, chance: Random) -> None:
    change(world, template=PodTemplate(image=chance.choice(["one", "two"])))


def change(world: PoolWorld, **fields: Any) -> None:
    if world.pool is not None:
        world.pool = replace(world.pool, generation=world.pool.generation + 1, **fields)


def delete_the_pool(world: PoolWorld, _: Random) -> None:
    if world.pool is not None and world.pool.finalizers:
        world.pool = replace(world.pool, deleting=True)


def submit(world: PoolWorld, chance: Random) -> None:
    for _ in range(chance.randint(1, 4)):
        world.submit()


def pass_time(world: PoolWorld, chance: Random) -> None:
    world.time += chance.choice([0.5, 5.0, 20.0, 90.0, 700.0])


Event = Callable[[PoolWorld, Random], object]
EVENTS: dict[Event, float] = {
    lambda world, _: world.look(): 6,
    lambda world, _: world.settle_one(): 10,
    lambda world, _: world.start_one(): 8,
    lambda world, _: world.assign(): 6,
    lambda world, _: world.finish_one(): 3,
    submit: 3,
    pass_time: 3,
    scale: 1,
    change_image: 0.7,
    lambda world, _: world.crash_one(): 0.7,
    lambda world, _: world.stop_heartbeats(): 0.7,
    lambda world, _: world.delete_one_by_hand(): 0.5,
    lambda world, _: world.cordon_one_by_hand(): 1,
    lambda world, _: world.restart_controller(): 0.5,
    delete_the_pool: 0.1,
}
"""Possible events and their frequency. The world itself raises where a promise is broken."""


def after_a_history(seed: int) -> PoolWorld:
    """A pool of some kind after many things happened to it."""
    chance = Random(seed)
    automatic = chance.random() < 0.5
    world = a_world(
        seed,
        capacity=chance.randint(1, 3),
        max_surge=chance.randint(1, 3),
        replicas=1 if automatic else 3,
        autoscaling=scaling(6, scale_down_delay=30) if automatic else None,
    )
    for event in chance.choices(list(EVENTS), list(EVENTS.values()), k=STEPS):
        event(world, chance)
    return world


def calm_down(world: PoolWorld) -> None:
    """Everything goes well from now on, jobs end, and time passes, until nothing is left to do."""
    for _ in range(CALM_ROUNDS):
        world.settle_all()
        world.start_all()
        world.assign()
        while any(job.pod is not None for job in world.jobs):
            world.finish_one()
        made = world.look()
        if not made.decisions and made.requeue_after is None and not can_still_run(world):
            return
        world.time += 1.0 if made.decisions or made.requeue_after is None else made.requeue_after
    raise AssertionError(f"no rest after {CALM_ROUNDS} rounds: {world.look()}")


def can_still_run(world: PoolWorld) -> bool:
    """Whether there are jobs that are not going to wait for ever, for a pool that is gone or has been scaled to nothing."""
    pool = world.pool
    return bool(world.jobs) and pool is not None and (pool.autoscaling is not None or pool.replicas > 0)


def live(world: PoolWorld, seconds: int, *, run: float, starts_in: float = 5) -> list[int]:
    """So many seconds in which all goes well; how many Pods there were after each."""
    sizes: list[int] = []
    for _ in range(seconds):
        world.time += 1
        world.finish_those_that_ran(run)
        world.start_all(made_before=world.time - starts_in)
        world.assign()
        world.look()
        world.settle_all()
        sizes.append(len(world.pods))
    return sizes


def an_automatic_world(mean_run: int | None = None) -> PoolWorld:
    return a_world(status=PoolStatus(mean_run_seconds=mean_run), autoscaling=scaling(50, scale_down_delay=120))


def test_a_burst_starts_within_the_target_by_few_daemons_which_go_when_it_is_over() -> None:
    world = an_automatic_world(mean_run=10)
    for _ in range(60):
        world.submit()

    sizes = live(world, 60, run=10)
    assert all(job.pod is not None for job in world.jobs)
    assert 10 <= max(sizes) <= 15

    sizes = live(world, 200, run=10)
    assert not world.jobs
    assert sizes[-1] == 0


def test_while_nobody_knows_how_long_runs_take_nobody_waits_for_anothers_end() -> None:
    world = an_automatic_world()
    for _ in range(7):
        world.submit()

    assert max(live(world, 5, run=3600)) == 7


def test_under_a_steady_load_the_number_of_daemons_comes_to_rest() -> None:
    world = an_automatic_world(mean_run=20)
    for _ in range(60):
        live(world, 5, run=20)
        world.submit()

    sizes: set[int] = set()
    for _ in range(60):
        sizes.update(live(world, 5, run=20))
        world.submit()
    assert max(sizes) - min(sizes) <= 1
    assert 4 <= max(sizes) <= 6


@given(seed=st.integers(0, 2**32))
@settings(max_examples=150)
def test_no_job_is_lost_and_in_the_end_the_pool_is_as_wanted(seed: int) -> None:
    world = after_a_history(seed)

    calm_down(world)

    pool = world.pool
    if pool is None:
        assert not world.pods
        return
    members = [member for member in world.pods.values() if not member.is_cordoned_by_admin]
    assert not pool.deleting
    assert len(members) == (pool.replicas if pool.autoscaling is None else 0)
    assert all(member.is_ready and not member.is_cordoned for member in members)
    assert {member.pod.revision for member in world.pods.values()} <= {world.wanted_revision}
    assert {condition.type: str(condition.status) for condition in pool.status.conditions} == {
        "Ready": "True",
        "Reconciling": "False",
        "Stalled": "False",
    }
    assert (pool.status.observed_generation, pool.status.replicas) == (pool.generation, len(world.pods))


@given(seed=st.integers(0, 2**32))
@settings(max_examples=50)
def test_a_pool_that_is_deleted_goes_once_its_jobs_are_done(seed: int) -> None:
    world = after_a_history(seed)
    delete_the_pool(world, Random(seed))

    calm_down(world)

    assert world.pool is None or not world.pool.finalizers
    assert not world.pods

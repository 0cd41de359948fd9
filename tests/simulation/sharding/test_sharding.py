"""Several controllers that divide the organizations: a proof of the proposal in docs/scaling.md before it is built."""

import os
from collections import Counter

import pytest

from simulation.sharding.shards import SHARDS, preferred, shard_of
from simulation.sharding.world import ShardedWorld, ViolatedError

SEEDS = int(os.environ.get("PROVISIONER_SIMULATION_SEEDS", "200")) // 20
ORGANIZATIONS = [f"organization-{number}" for number in range(1000)]
TROUBLED_SECONDS = 150.0
SETTLED_WITHIN = 60.0
"""Seconds in which a Lease expires, another member waits as long for the preferred holder, takes it, and does the work."""


@pytest.mark.parametrize("seed", range(SEEDS))
def test_no_shard_has_two_holders_and_all_work_is_done_once(seed: int) -> None:
    world = ShardedWorld(seed)
    _trouble(world)
    _reconnect_all(world)
    world.failure_rate = 0.0
    awake = max((member.frozen_until for member in world.living()), default=0.0)
    world.schedule.run_until(max(world.schedule.now, awake) + SETTLED_WITHIN)
    world.check_all()
    living = [member.name for member in world.living()]
    holders = {shard: [each.name for each in world.living() if each.holds(shard)] for shard in range(SHARDS)}
    assert holders == {shard: [preferred(shard, living)] for shard in range(SHARDS)}
    assert [item for item in world.store.items if item.done_by is None] == []


def test_members_that_do_not_wait_for_each_other_break_the_rule() -> None:
    def breaks(seed: int) -> bool:
        world = ShardedWorld(seed, eager=True)
        try:
            _trouble(world)
        except ViolatedError:
            return True
        return False

    assert all(breaks(seed) for seed in range(5))


def test_organizations_and_shards_are_distributed_evenly() -> None:
    shards = Counter(shard_of(organization) for organization in ORGANIZATIONS)
    assert len(shards) == SHARDS
    assert max(shards.values()) < 2 * len(ORGANIZATIONS) / SHARDS
    for count in (2, 3, 5, 10):
        members = [f"member-{number}" for number in range(count)]
        held = Counter(preferred(shard, members) for shard in range(SHARDS * 100))
        assert max(held.values()) < 1.15 * SHARDS * 100 / count


def test_only_the_shards_of_a_leaving_member_move() -> None:
    before = [f"member-{number}" for number in range(5)]
    after = before[:-1]
    for shard in range(SHARDS):
        owner = preferred(shard, before)
        assert preferred(shard, after) == owner or owner == before[-1]


def test_the_shard_of_an_organization_is_the_same_everywhere() -> None:
    assert [shard_of(name) for name in ("acme", "globex", "initech")] == [1, 26, 16]


def _trouble(world: ShardedWorld) -> None:
    """Submit work while members die, freeze, lose the network, join and leave."""
    random = world.random
    end = world.schedule.now + TROUBLED_SECONDS
    while world.schedule.now < end:
        world.schedule.run_until(world.schedule.now + random.uniform(0.1, 1.5))
        for _ in range(random.randint(0, 3)):
            world.submit(random.choice(ORGANIZATIONS))
        world.check_all()
        if random.random() > 0.15:
            continue
        member = random.choice(world.living())
        match random.choice(["die", "freeze", "cut", "reconnect", "join", "leave"]):
            case "die" if len(world.staying()) > 1 or member.leaving:
                member.die()
            case "freeze":
                member.frozen_until = world.schedule.now + random.uniform(1, 40)
            case "cut":
                member.connected = False
            case "reconnect":
                _reconnect_all(world)
            case "join" if len(world.living()) < 6:
                world.join()
            case "leave" if len(world.staying()) > 1:
                member.leave()
            case _:
                pass


def _reconnect_all(world: ShardedWorld) -> None:
    for member in world.living():
        member.connected = True

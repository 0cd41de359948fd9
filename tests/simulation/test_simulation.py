"""Days of cluster time with everything that can go wrong, from seeds.

`PROVISIONER_SIMULATION_SEEDS=10000` runs so many instead of a thousand, `PROVISIONER_SIMULATION_SEED=123` only that one.
"""

import os
import traceback

import pytest

from simulation.world import World

SEEDS = int(os.environ.get("PROVISIONER_SIMULATION_SEEDS", "1000"))
ONLY = os.environ.get("PROVISIONER_SIMULATION_SEED")
CHUNK = 25
CHUNKS = (
    [range(int(ONLY), int(ONLY) + 1)] if ONLY else [range(at, min(at + CHUNK, SEEDS)) for at in range(0, SEEDS, CHUNK)]
)


@pytest.mark.parametrize("seeds", CHUNKS, ids=lambda seeds: f"seeds-{seeds.start}-to-{seeds.stop - 1}")
def test_no_simulated_cluster_breaks_a_promise(seeds: range) -> None:
    for seed in seeds:
        try:
            World(seed).run()
        except Exception:  # noqa: BLE001 - whatever the core raises is a finding, and the seed replays it
            again = f"PROVISIONER_SIMULATION_SEED={seed} pytest tests/simulation -k simulated_cluster"
            pytest.fail(f"{traceback.format_exc(limit=-6)}\nTo replay: {again}", pytrace=False)


def test_the_same_seed_is_the_same_story() -> None:
    first, second = World(5), World(5)
    first.run()
    second.run()
    assert first.invariants.story == second.invariants.story

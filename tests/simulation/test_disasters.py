"""Disasters of simulated clusters: what they once found, and that faults put in on purpose are found."""

from typing import Any

import pytest

from simulation import disasters
from simulation.feed import ControllerFeed
from simulation.invariants import ViolationError
from simulation.world import World

FOUND = (464, 611, 631)
"""Seeds that found something once, as half of the seeds had each disaster: two runs of a job after a restore, for one."""
RESTORE, DEFINITIONS = 0, 8
"""Seeds that then have a restore of etcd, and that lose definitions."""


@pytest.fixture(autouse=True)
def _many_disasters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disasters, "CHANCE", 0.5)


@pytest.mark.parametrize("seed", [*FOUND, RESTORE, DEFINITIONS])
def test_a_cluster_survives_its_disaster(seed: int) -> None:
    World(seed).run()


def _do_nothing(*_: Any, **__: Any) -> None:
    pass


def test_controllers_that_go_on_after_a_restore_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(World, "restart_controller", _do_nothing)
    world = World(RESTORE)
    with pytest.raises(ViolationError):
        world.run()
    assert any("etcd is restored" in line for line in world.invariants.story)


def test_watches_that_do_not_list_anew_after_their_definition_was_made_again_are_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ControllerFeed, "_list_anew", _do_nothing)
    world = World(DEFINITIONS)
    with pytest.raises(ViolationError):
        world.run()
    assert any("is made again" in line for line in world.invariants.story)

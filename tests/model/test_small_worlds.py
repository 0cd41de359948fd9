"""Every state of small worlds that few surprises lead to: no invariant is violated, and each job comes to its end.

`PROVISIONER_MODEL_MORE_SURPRISES=1` allows one more surprise in each world. A counterexample shows its story, and the
command that replays it.
"""

import shlex
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from model.__main__ import main, replay_arguments
from model.explore import Bounds, CounterexampleError, explore
from model.small_world import SmallWorld
from model.worlds import worlds
from provisioner_operator.core.jobs import status_writes
from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.core.scheduling.placement import Placement
from simulation import daemons
from support.manifests import REPOSITORY

FEWEST_STATES = 300
"""Fewer than each world has; an exploration that finds less has lost its actions."""


def explore_world(name: str) -> None:
    scene, bounds = worlds()[name]
    try:
        explored = explore(partial(SmallWorld, scene), bounds)
    except CounterexampleError as error:
        pytest.fail(f"{error}\nTo replay: {replay_command(name, error)}", pytrace=False)
    sys.stdout.write(f"{name}: {explored}\n")
    assert explored.states > FEWEST_STATES
    assert explored.ends > 0


def replay_command(name: str, error: CounterexampleError) -> str:
    path = f"{REPOSITORY / 'tests'}:{REPOSITORY / 'operator'}"
    return f"PYTHONPATH={path} {shlex.join([sys.executable, '-m', 'model', *replay_arguments(name, error.surprises)])}"


@pytest.mark.parametrize("name", worlds())
def test_no_small_world_violates_an_invariant_and_each_comes_to_its_end(name: str) -> None:
    explore_world(name)


# --- bugs put in on purpose ---


def acknowledge_blindly(monkeypatch: pytest.MonkeyPatch) -> None:
    """A daemon acknowledges a job whatever its phase, cancel and assignment."""
    correct = status_writes.acknowledge

    def blind(*arguments: object) -> JsonPatch:
        patch = correct(*arguments)  # type: ignore[arg-type]
        return replace(patch, tests=patch.tests[:1])

    monkeypatch.setattr(status_writes, "acknowledge", blind)


def fence_too_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """A daemon without contact stops its runs only after the controller may declare them lost."""
    monkeypatch.setattr(daemons, "interrupt_after", lambda lost_after: 1.2 * lost_after)
    monkeypatch.setattr(daemons, "kill_after", lambda lost_after: 1.3 * lost_after)


def ignore_the_workspace(monkeypatch: pytest.MonkeyPatch) -> None:
    """The jobs of a workspace do not wait for each other."""
    monkeypatch.setattr(Placement, "is_turn_of", lambda *_: True)


BUGS: dict[Callable[[pytest.MonkeyPatch], None], tuple[str, str]] = {
    acknowledge_blindly: ("messages-of-one-job", "Canceled -> Running is not a legal transition"),
    fence_too_late: ("run-longer-than-a-loss", "declared lost although its process runs"),
    ignore_the_workspace: ("two-jobs-of-a-workspace", "overtakes job-1 of the same workspace"),
}


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.__name__)
def test_a_bug_is_found_and_its_path_replays_it(
    bug: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bug(monkeypatch)
    name, violation = BUGS[bug]
    scene, bounds = worlds()[name]

    with pytest.raises(CounterexampleError) as found:
        explore(partial(SmallWorld, scene), bounds)

    assert violation in str(found.value)
    assert len(found.value.surprises) <= (bounds.surprises or 0)
    assert main(replay_arguments(name, found.value.surprises)) == 1
    assert violation in capsys.readouterr().out.rsplit("\n", 2)[-2]


def test_a_counterexample_shows_the_command_that_replays_it(monkeypatch: pytest.MonkeyPatch) -> None:
    ignore_the_workspace(monkeypatch)
    with pytest.raises(pytest.fail.Exception) as failure:
        explore_world("two-jobs-of-a-workspace")
    assert "job-1 created" in str(failure.value)
    assert "-m model two-jobs-of-a-workspace" in str(failure.value).rpartition("To replay: ")[2]


def test_a_world_whose_jobs_cannot_end_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    scene, _ = worlds()["messages-of-one-job"]
    monkeypatch.setattr(status_writes, "finish", lambda *_: JsonPatch(tests=(("/metadata/uid", "no"),), sets=()))
    with pytest.raises(CounterexampleError):
        explore(partial(SmallWorld, scene), Bounds(surprises=0, longest=300))

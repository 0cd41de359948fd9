"""The explorer finds all states within its bounds and no other, and the shortest way to a violation."""

import pytest

from model.explore import Bounds, CounterexampleError, explore, follow

LENGTH = 6


class Stairs:
    """A world of steps: usually one up, as a surprise two; it is over at the top. One step may be rotten."""

    def __init__(self, rotten: int = -1, *, endless: bool = False) -> None:
        self.at = 0
        self.jumps = 0
        self._rotten = rotten
        self._endless = endless

    is_at_rest = True

    def actions(self) -> list[str]:
        return ["up", "jump"] if self.at < LENGTH or self._endless else []

    def apply(self, name: str) -> None:
        self.at += 1 if name == "up" else 2
        self.jumps += name == "jump"
        assert self.at != self._rotten or not self.jumps, "the step breaks"

    def fingerprint(self) -> int:
        return self.at * 100 + self.jumps

    def check_end(self) -> None:
        assert self.at >= LENGTH


@pytest.mark.parametrize(
    ("bounds", "states"),
    [
        (Bounds(surprises=0), 7),
        (Bounds(surprises=1), 7 + 6),  # from 2 to 7, after one jump
        (Bounds(surprises=1, within=2), 7 + 5),  # not from 5 to 7
        (Bounds(surprises=None), 7 + 6 + 4 + 2),
    ],
)
def test_each_state_within_the_bounds_is_found_once(bounds: Bounds, states: int) -> None:
    assert explore(Stairs, bounds).states == states


def test_a_violation_is_reported_with_the_fewest_surprises_and_can_be_followed() -> None:
    with pytest.raises(CounterexampleError, match="the step breaks") as found:
        explore(lambda: Stairs(rotten=4), Bounds(surprises=3))
    assert found.value.surprises == ((0, "jump"),)
    with pytest.raises(AssertionError, match="the step breaks"):
        follow(lambda: Stairs(rotten=4), found.value.surprises, longest=10)


def test_a_world_that_never_ends_is_a_violation() -> None:
    with pytest.raises(CounterexampleError, match="never comes to its end"):
        explore(lambda: Stairs(endless=True), Bounds(surprises=0, longest=50))

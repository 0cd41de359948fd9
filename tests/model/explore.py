"""Exploration of all states that a world can reach, within bounds. Knows nothing of what the world is.

A state is reached by replaying the names of its steps in a new world, so a world needs no copies of itself, and every
state is its own replay. The first of a world's actions is what usually happens next; each other one is a surprise. The
explorer takes states in the order of their surprises, then of their steps. From each new state it follows the usual
actions until the world is over or a known state is reached, so every state is also checked for an end: the usual actions
contain the repair of every fault.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

NEVER_ENDS = "the world never comes to its end"


class ModelWorld(Protocol):
    """A world that does nothing by itself. Its methods raise an AssertionError if an invariant is violated."""

    def actions(self) -> Sequence[str]:
        """Return all that may happen now; first what usually does. None if the world is over."""

    def apply(self, name: str) -> None:
        """Let one of the actions happen."""

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing is under way. Where no surprise may follow, only such states are compared, which is faster."""

    def fingerprint(self) -> int:
        """Return the same number for two states exactly if they have the same future."""

    def check_end(self) -> None:
        """Check a world that is over."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limits of an exploration. Every world is followed to its end in any case."""

    surprises: int | None
    """Maximum number of surprises of a path; None for any number."""
    within: int | None = None
    """Number of first steps that may be surprises; None for all."""
    longest: int = 1500
    """Steps after which a world that is not over never will be."""

    def allow(self, surprises: int, steps: int) -> bool:
        """Return whether one more surprise may follow."""
        return (self.surprises is None or surprises < self.surprises) and (self.within is None or steps < self.within)


@dataclass(slots=True)
class Explored:
    """The extent of an exploration."""

    states: int = 0
    transitions: int = 0
    ends: int = 0
    """Times that a world came to its end; other paths lead to a known state, or to the limit of steps."""
    deepest: int = 0
    """Most steps of a path."""


Surprises = Sequence[tuple[int, str]]
"""The surprises of a path, each with the number of steps before it; everything else is as usual."""


class CounterexampleError(AssertionError):
    """Path to a state that violates an invariant, or to a world that never ends."""

    def __init__(self, surprises: Surprises, error: BaseException) -> None:
        super().__init__(f"{type(error).__name__}: {error}")
        self.surprises = tuple(surprises)


@dataclass(slots=True)
class _Explorer:
    begin: Callable[[], ModelWorld]
    bounds: Bounds
    seen: dict[int, int] = field(default_factory=dict)
    """Fewest steps to each known state."""
    explored: Explored = field(default_factory=Explored)
    coming: deque[tuple[int, tuple[str, ...]]] = field(default_factory=deque)
    """Paths to follow, each with its number of surprises, and ending with one."""

    def run(self) -> Explored:
        self.coming.append((0, ()))
        while self.coming:
            surprises, path = self.coming.popleft()
            self._follow(surprises, path)
        return self.explored

    def _follow(self, surprises: int, prefix: tuple[str, ...]) -> None:
        """Replay the path, then let the usual happen until a known state, the end, or the limit."""
        path = list(prefix)
        try:
            world = replay(self.begin, prefix)
            self.explored.transitions += 1
            while self._is_new(world, path, surprises):
                usual = world.actions()[0]
                path.append(usual)
                world.apply(usual)
                self.explored.transitions += 1
        except Exception as error:  # whatever the product raises is a finding
            raise CounterexampleError(surprises_of(self.begin, path), error) from error

    def _is_new(self, world: ModelWorld, path: list[str], surprises: int) -> bool:
        """Count the state if it is new, and remember its surprises; return whether to go on from it."""
        if len(path) > self.bounds.longest:
            raise AssertionError(NEVER_ENDS)
        actions = world.actions()
        may_surprise = self.bounds.allow(surprises, len(path))
        if actions and not may_surprise and not world.is_at_rest:
            return True
        if not self._is_shortest(world.fingerprint(), len(path)):
            return False
        if not actions:
            world.check_end()
            self.explored.ends += 1
            return False
        if may_surprise:
            self.coming.extend((surprises + 1, (*path, each)) for each in actions[1:])
        return True

    def _is_shortest(self, state: int, steps: int) -> bool:
        """Record the state; return whether it is new, or more can follow from it than before."""
        known = self.seen.get(state)
        if known is not None and (known <= steps or self.bounds.within is None):
            return False
        self.seen[state] = steps
        self.explored.states = len(self.seen)
        self.explored.deepest = max(self.explored.deepest, steps)
        return True


def explore(begin: Callable[[], ModelWorld], bounds: Bounds) -> Explored:
    """Explore all states within the bounds. Raises CounterexampleError."""
    return _Explorer(begin, bounds).run()


def replay(begin: Callable[[], ModelWorld], path: Sequence[str]) -> ModelWorld:
    """Return a new world after these steps."""
    world = begin()
    for name in path:
        world.apply(name)
    return world


def follow(begin: Callable[[], ModelWorld], surprises: Surprises, longest: int) -> None:
    """Follow one path to the end of its world. Raises what a violated invariant raises."""
    world, coming = begin(), dict(surprises)
    for step in range(longest):
        actions = world.actions()
        if not actions:
            world.check_end()
            return
        world.apply(coming.get(step, actions[0]))
    raise AssertionError(NEVER_ENDS)


def surprises_of(begin: Callable[[], ModelWorld], path: Sequence[str]) -> Surprises:
    """Return what is not as usual on a path whose last step may be impossible to finish."""
    world, found = begin(), []
    for number, name in enumerate(path):
        if world.actions()[0] != name:
            found.append((number, name))
        if number < len(path) - 1:
            world.apply(name)
    return found

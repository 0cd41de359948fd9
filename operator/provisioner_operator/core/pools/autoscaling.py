"""Compute the number of daemons that a pool needs so that waiting jobs start within the target, from recent run times.

A free slot starts a job at once and another after each run; a busy slot starts its first when its run ends. So within
the time that the longest waiting job has left, a slot can start a certain number of jobs, and the length of the queue
gives the number of slots. The pool grows at once, and shrinks only when it has not needed that many for its delay.
Called by `fleet_plan`; `load_sharing` divides the jobs among the pools.
"""

from dataclasses import dataclass
from math import ceil, floor

from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.pools.records import Autoscaling

NEWEST_RUN_WEIGHT = 0.2
"""Weight of the last run in the mean: runs before the last ten together weigh a tenth."""
SHORTEST_RUN_SECONDS = 1.0
"""Shortest mean that is used: below it, differences between clocks dominate."""


@dataclass(frozen=True, slots=True)
class Load:
    """Jobs that wait for nothing but a daemon and count for one pool."""

    waiting: int = 0
    oldest: float = 0.0
    """Seconds that the first of them has waited."""


class RunTimes:
    """Exponentially weighted mean of recent run times."""

    __slots__ = ("mean",)

    def __init__(self, mean: float | None = None) -> None:
        self.mean = mean
        """Mean in seconds; None while no run has been observed."""

    def observe(self, seconds: float) -> None:
        """Add the duration of a run."""
        seconds = max(seconds, SHORTEST_RUN_SECONDS)
        self.mean = seconds if self.mean is None else self.mean + NEWEST_RUN_WEIGHT * (seconds - self.mean)


def further_starts(mean_run: float | None, within: float) -> int:
    """Return the number of jobs that a slot starts within this time, after its first."""
    if mean_run is None or within <= 0:
        return 0
    return floor(within / max(mean_run, SHORTEST_RUN_SECONDS))


def slots_needed(load: Load, busy: int, mean_run: float | None, target_wait: float) -> int:
    """Return the number of slots, busy or free, that start all waiting jobs in time."""
    further = further_starts(mean_run, target_wait - load.oldest)
    uncovered = max(0, load.waiting - busy * further)
    return busy + ceil(uncovered / (1 + further))


def daemons_needed(slots: int, capacity: int, bounds: Autoscaling) -> int:
    """Return the number of daemons that have this many slots, within the pool's bounds."""
    return within_bounds(ceil(slots / capacity), bounds)


def within_bounds(daemons: int, bounds: Autoscaling) -> int:
    """Return the nearest number within the pool's bounds."""
    return max(bounds.min_replicas, min(daemons, bounds.max_replicas))


def need_changes_in(load: Load, mean_run: float | None, target_wait: float) -> float | None:
    """Return the seconds until more slots may be needed only because jobs waited longer; None if that cannot happen."""
    left = target_wait - load.oldest
    further = further_starts(mean_run, left)
    if not load.waiting or not further or mean_run is None:
        return None
    return left - further * max(mean_run, SHORTEST_RUN_SECONDS)


class RecentNeed:
    """The highest need of a pool within its delay.

    Daemons that exist at the first call count as needed until then: a controller that starts anew removes nothing
    sooner than the one before it.
    """

    def __init__(self, present: int) -> None:
        self._current = present
        self._former: list[tuple[float, int]] = []
        """Former higher needs, each with the time of its end on the monotonic clock; the highest first."""

    def settle(self, need: int, delay: float, now: Instant) -> int:
        """Return the number to keep, given the current need; the need of the last call counts until this one."""
        if self._current > need:
            self._former = [former for former in self._former if former[1] > self._current]
            self._former.append((now.monotonic, self._current))
        self._current = need
        self._former = [(end, former) for end, former in self._former if former > need and end + delay > now.monotonic]
        return max((former for _, former in self._former), default=need)

    def falls_in(self, delay: float, now: Instant) -> float | None:
        """Return the seconds until the number may fall; None if it does not before the need changes."""
        ends = [end + delay - now.monotonic for end, _ in self._former]
        return min(ends, default=None)

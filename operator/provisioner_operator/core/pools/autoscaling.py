"""How many daemons a pool needs now: enough that whoever waits starts within the target, by how long runs took of late.

A slot that is free starts a job at once and another after each run; a slot that is taken starts its first when its run
ends. So within the time that is left until the longest waiting job has waited as long as it may, a slot can start a
certain number of jobs, and the queue tells how many slots that takes. Up at once, down only when the pool has not needed
so many for its delay. Called by `fleet`; which jobs fall to which pool is `sharing`'s.
"""

from dataclasses import dataclass
from math import ceil, floor

from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.pools.records import Autoscaling

NEWEST_RUN_WEIGHT = 0.2
"""How much the last run counts in the mean: of runs longer ago than the last ten, a tenth is left."""
SHORTEST_RUN_SECONDS = 1.0
"""Below this a mean says more about clocks than about runs."""


@dataclass(frozen=True, slots=True)
class Load:
    """The jobs that wait for nothing but a daemon and fall to one pool."""

    waiting: int = 0
    oldest: float = 0.0
    """How long the first of them has waited, in seconds."""


class RunTimes:
    """How long runs take of late: an exponentially weighted mean."""

    __slots__ = ("mean",)

    def __init__(self, mean: float | None = None) -> None:
        self.mean = mean
        """In seconds; None while nothing is known."""

    def observe(self, seconds: float) -> None:
        """A run ended after so long."""
        seconds = max(seconds, SHORTEST_RUN_SECONDS)
        self.mean = seconds if self.mean is None else self.mean + NEWEST_RUN_WEIGHT * (seconds - self.mean)


def further_starts(mean_run: float | None, within: float) -> int:
    """How many more jobs a slot starts within so many seconds, after the one that it begins with."""
    if mean_run is None or within <= 0:
        return 0
    return floor(within / max(mean_run, SHORTEST_RUN_SECONDS))


def slots_needed(load: Load, busy: int, mean_run: float | None, target_wait: float) -> int:
    """How many slots, taken or free, start all the waiting jobs in time."""
    further = further_starts(mean_run, target_wait - load.oldest)
    uncovered = max(0, load.waiting - busy * further)
    return busy + ceil(uncovered / (1 + further))


def daemons_needed(slots: int, capacity: int, bounds: Autoscaling) -> int:
    """How many daemons have so many slots, within the pool's bounds."""
    return within_bounds(ceil(slots / capacity), bounds)


def within_bounds(daemons: int, bounds: Autoscaling) -> int:
    """The number that is nearest within the pool's bounds."""
    return max(bounds.min_replicas, min(daemons, bounds.max_replicas))


def need_changes_in(load: Load, mean_run: float | None, target_wait: float) -> float | None:
    """When more slots may be needed although nothing happened but that jobs waited on, in seconds; None if never."""
    left = target_wait - load.oldest
    further = further_starts(mean_run, left)
    if not load.waiting or not further or mean_run is None:
        return None
    return left - further * max(mean_run, SHORTEST_RUN_SECONDS)


class RecentNeed:
    """The most that a pool needed within its delay.

    What is there when it is first asked counts as needed until then: a controller that starts anew takes nothing away
    sooner than the one before it.
    """

    def __init__(self, present: int) -> None:
        self._current = present
        self._former: list[tuple[float, int]] = []
        """Higher needs of before, each with the time of its end, on the monotonic clock; the highest first."""

    def settle(self, need: int, delay: float, now: Instant) -> int:
        """How many to have, now that so many are needed; what was needed at the last look was needed until this one."""
        if self._current > need:
            self._former = [former for former in self._former if former[1] > self._current]
            self._former.append((now.monotonic, self._current))
        self._current = need
        self._former = [(end, former) for end, former in self._former if former > need and end + delay > now.monotonic]
        return max((former for _, former in self._former), default=need)

    def falls_in(self, delay: float, now: Instant) -> float | None:
        """When there may be fewer, in seconds; None if not before the need changes."""
        ends = [end + delay - now.monotonic for end, _ in self._former]
        return min(ends, default=None)

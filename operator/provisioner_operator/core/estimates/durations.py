"""Durations of past runs, as the distribution of the next one. Pure.

With n runs, the next one takes a place among them that is as likely as any of the n + 1 others: between the runs the distribution is
linear, and beyond the longest it has a tail. Of a run that has gone on for a while, only the durations above that remain.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil
from random import Random

_TAIL = 2.0
"""Exponent of the Pareto tail beyond the longest run: half of what exceeds a duration exceeds 1.4 times as much."""
_SHORTEST_SECONDS = 0.5
"""Shortest duration: times of runs are whole seconds."""
_OVERLONG_SHARE = 0.01
"""Share of runs that count as longer than the others."""


@dataclass(frozen=True, slots=True)
class Durations:
    """Seconds that some runs took, the shortest first; at least one."""

    seconds: tuple[float, ...]

    @classmethod
    def of(cls, seconds: Iterable[float]) -> "Durations":
        """Return these durations in order."""
        return cls(tuple(sorted(max(each, _SHORTEST_SECONDS) for each in seconds)))

    def __len__(self) -> int:
        return len(self.seconds)

    def quantile(self, share: float) -> float:
        """Return the duration that this share of the runs did not exceed."""
        return self.seconds[min(len(self.seconds), max(1, ceil(share * len(self.seconds)))) - 1]

    def is_overlong(self, elapsed: float) -> bool:
        """Return whether a run this long is among the longest hundredth: by chance, no more than one of a hundred runs is."""
        longer = len(self.seconds) - bisect_left(self.seconds, elapsed)
        return (longer + 1) / (len(self.seconds) + 1) <= _OVERLONG_SHARE

    def resampled(self, chance: Random) -> "Durations":
        """Return as many durations, drawn from these with replacement: another past that might have been observed."""
        return Durations(tuple(sorted(chance.choices(self.seconds, k=len(self.seconds)))))

    def draw(self, chance: float) -> float:
        """Return the duration at this place of the distribution, from 0 to below 1."""
        return self._at(chance * (len(self.seconds) + 1))

    def draw_rest(self, chance: float, elapsed: float) -> float:
        """Return the rest of a run that has gone on for so long, at this place of the distribution of what remains."""
        rank = self._rank(elapsed)
        if rank is None:
            return elapsed * (_tail(1 - chance) - 1)
        return max(0.0, self._at(rank + chance * (len(self.seconds) + 1 - rank)) - elapsed)

    def _at(self, rank: float) -> float:
        """Return the duration at a place from 0 to below n + 1, of which n is that of the longest run."""
        below = int(rank)
        seconds = self.seconds
        if below >= len(seconds):
            return seconds[-1] * _tail(len(seconds) + 1 - rank)
        low = seconds[below - 1] if below else min(seconds[0], _SHORTEST_SECONDS)
        return low + (rank - below) * (seconds[below] - low)

    def _rank(self, elapsed: float) -> float | None:
        """Return the place of a duration; None beyond the longest run."""
        seconds = self.seconds
        above = bisect_right(seconds, elapsed)
        if above == len(seconds):
            return None
        low = seconds[above - 1] if above else min(seconds[0], _SHORTEST_SECONDS)
        width = seconds[above] - low
        return above + max(0.0, (elapsed - low) / width) if width > 0 else float(above)


def _tail(share: float) -> float:
    """Return the multiple of the longest duration that this share of the longer ones exceed."""
    multiple: float = share ** (-1 / _TAIL)
    return multiple

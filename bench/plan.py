"""Sizes of the measurements: enough for reliable results, or a quick check of some five minutes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

OURS, AGAINST = "ours", "against"
"""Names of this version of the product, and of the one beside it."""
COUNTS_UP_TO = 1000
"""Largest burst that is measured in all rounds; one round is enough to check larger ones."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Sizes and rounds."""

    rounds: int = 5
    """Rounds of each scenario; medians of fewer are unreliable."""
    bursts: tuple[int, ...] = (300, 3000)
    """Sizes of bursts of submitted jobs."""
    backlog: int = 1000
    """Jobs that wait until daemons become free."""
    lives: tuple[int, ...] = (300, 1000, 3000)
    """Sizes of bursts of jobs that run to their end."""
    samples: int = 20
    """Jobs per round whose latency is measured, one at a time."""
    cancels: tuple[int, ...] = (300, 3000)
    """Running jobs that are canceled at the same time."""
    stock_jobs: int = 100
    """Jobs for the Job controller with its default limits, which needs two seconds for twenty."""
    stored: tuple[int, ...] = (1_000, 10_000, 100_000)
    """Numbers of jobs that exist when the operator starts."""
    queues: tuple[int, ...] = (1_000, 10_000, 100_000)
    """Numbers of pending jobs when one decision is timed."""
    tag_sets: tuple[int, ...] = (1, 30, 1_000)
    """Numbers of distinct demands among these jobs."""
    decisions: int = 300
    """Decisions per round."""
    idle_seconds: int = 60
    """Seconds of the idle period, a multiple of the ten between two heartbeats of a daemon."""
    smaller: int = 1
    """Divisor of the sizes whose growth is measured."""
    plug: Path | None = None
    """The file of a further subject."""
    peers: tuple[str, ...] = ()
    """Names of other controllers to build and measure beside it (`bench.peers.known`)."""
    against: Path | None = None
    """A checkout of another version of the product, to be measured beside this one."""

    def rounds_of(self, jobs: int) -> int:
        """Return the number of rounds for this many jobs: one, if a round takes minutes."""
        return self.rounds if jobs <= COUNTS_UP_TO else 1


def counting(sizes: Sequence[int]) -> int:
    """Return the largest size that is measured in all rounds, as bars require."""
    return max(size for size in sizes if size <= COUNTS_UP_TO)


FULL = Plan()
QUICK = replace(
    FULL,
    rounds=2,
    bursts=(300,),
    backlog=300,
    lives=(75, 300),
    samples=6,
    cancels=(300,),
    stock_jobs=0,
    stored=(1_000, 10_000),
    tag_sets=(30,),
    decisions=100,
    idle_seconds=20,
    smaller=10,
)

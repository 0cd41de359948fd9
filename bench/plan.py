"""How much is measured: enough to count, or only as much as shows within three minutes that nothing is broken."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

COUNTS_UP_TO = 1000
"""Jobs in a burst; of more, one round shows that nothing breaks."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Sizes and rounds."""

    rounds: int = 5
    """Of everything that counts: medians of fewer say little."""
    bursts: tuple[int, ...] = (300, 3000)
    """Jobs that are submitted at once."""
    backlog: int = 1000
    """Jobs that wait for the moment in which daemons become free."""
    lives: tuple[int, ...] = (300, 1000, 3000)
    """Jobs that are run to their end at once."""
    samples: int = 20
    """Jobs a round, one at a time, whose latency is measured."""
    cancels: tuple[int, ...] = (300, 3000)
    """Running jobs that are canceled at once."""
    stock_jobs: int = 100
    """Jobs for the Job controller at its stock limits, which takes two seconds for each twenty."""
    stored: tuple[int, ...] = (1_000, 10_000, 100_000)
    """Jobs that exist when the operator starts."""
    queues: tuple[int, ...] = (1_000, 10_000, 100_000)
    """Jobs that wait when one decision is timed."""
    tag_sets: tuple[int, ...] = (1, 30, 1_000)
    """Into how many demands they fall."""
    decisions: int = 300
    """Decisions a round."""
    idle_seconds: int = 60
    """How long nothing happens."""
    plug: Path | None = None
    """The file of a further subject."""
    against: Path | None = None
    """The source root of another version of the product, to be measured beside this one."""

    def rounds_of(self, jobs: int) -> int:
        """How often so many jobs are measured: once, if they are so many that it would take minutes."""
        return self.rounds if jobs <= COUNTS_UP_TO else 1


def counting(sizes: Sequence[int]) -> int:
    """The largest of the sizes that are measured in all rounds, and on which a bar may rest."""
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
    idle_seconds=5,
)

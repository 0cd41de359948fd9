"""Which waiting jobs fall to which pool, so that several that could run the same jobs do not each grow for all of them.

Each job counts once: for the pool with the fewest tags to spare, as `assignment` prefers its daemons, as far as that pool
can start it in time within its size; what goes beyond falls to the next. Demands that fewer pools can serve go first, so
that nobody takes the only room they have. What no pool has room for counts for the first of them. Called by `fleet`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from provisioner_operator.core.model.matching import Demand, Supply, satisfies
from provisioner_operator.core.pools.autoscaling import Load, further_starts


@dataclass(frozen=True, slots=True)
class Waiting:
    """The jobs of one demand that wait for nothing but a daemon."""

    demand: Demand
    count: int
    oldest: float
    """How long the first of them has waited, in seconds."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A pool as the queue sees it."""

    uid: str
    name: str
    supply: Supply
    slots: int
    """What it may grow to; while its Pods fail, what it has."""
    busy: int = 0
    mean_run: float | None = None
    target_wait: float = 0.0
    """Zero for a pool that does not grow: it takes what its free slots take, and the rest is for others."""

    def can_start(self, oldest: float) -> int:
        """How many jobs it can start in time, the first of which has waited for so long."""
        further = further_starts(self.mean_run, self.target_wait - oldest)
        return max(0, self.slots - self.busy) * (1 + further) + self.busy * further


def share(waiting: Iterable[Waiting], contenders: Sequence[Contender]) -> Mapping[str, Load]:
    """What falls to each pool, by its uid."""
    loads = {contender.uid: Load() for contender in contenders}
    candidates = [(each, _candidates(each.demand, contenders)) for each in waiting]
    for each, able in sorted(candidates, key=_scarcity):
        left = each.count
        for contender in able:
            taken = min(left, max(0, contender.can_start(each.oldest) - loads[contender.uid].waiting))
            left -= taken
            loads[contender.uid] = _more(loads[contender.uid], taken, each.oldest)
        if able:
            loads[able[0].uid] = _more(loads[able[0].uid], left, each.oldest)
    return loads


def queued_for(supply: Supply, waiting: Iterable[Waiting]) -> int:
    """How many jobs wait that a daemon of this supply could run."""
    return sum(each.count for each in waiting if satisfies(supply, each.demand))


def _candidates(demand: Demand, contenders: Iterable[Contender]) -> list[Contender]:
    able = (contender for contender in contenders if satisfies(contender.supply, demand))
    return sorted(able, key=lambda each: (len(each.supply.tags), len(each.supply.provisioners), each.name, each.uid))


def _scarcity(entry: tuple[Waiting, list[Contender]]) -> tuple[int, str, str, list[tuple[str, str]]]:
    waiting, able = entry
    demand = waiting.demand
    return (len(able), demand.namespace, demand.provisioner, sorted(demand.tags))


def _more(load: Load, count: int, oldest: float) -> Load:
    return Load(load.waiting + count, max(load.oldest, oldest)) if count else load

"""Share waiting jobs among the pools that could run them, so that these do not all grow for the same jobs.

Each job counts once: for the pool with the fewest spare tags, as `assignment` prefers its daemons, as far as that pool
can start it in time within its size; the rest counts for the next pool. Demands that fewer pools can serve go first, so
that they are not crowded out of the only pool that fits. Jobs that no pool has room for count for the first. Called by
`fleet_plan`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from provisioner_operator.core.model.matching import Demand, Supply, satisfies
from provisioner_operator.core.pools.autoscaling import Load, further_starts


@dataclass(frozen=True, slots=True)
class Waiting:
    """Jobs of one demand that wait for nothing but a daemon."""

    demand: Demand
    count: int
    oldest: float
    """Seconds that the first of them has waited."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A pool that can take a share."""

    uid: str
    name: str
    supply: Supply
    slots: int
    """Slots that it may grow to; while its Pods fail, those it has."""
    busy: int = 0
    mean_run: float | None = None
    target_wait: float = 0.0
    """Zero for a pool of fixed size: it takes as many jobs as it has free slots, and the others go elsewhere."""

    def can_start(self, oldest: float) -> int:
        """Return the number of jobs that it can start in time, if the first has waited this long."""
        further = further_starts(self.mean_run, self.target_wait - oldest)
        return max(0, self.slots - self.busy) * (1 + further) + self.busy * further


def share(waiting: Iterable[Waiting], contenders: Sequence[Contender]) -> Mapping[str, Load]:
    """Return each pool's load, by its uid."""
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
    """Return the number of waiting jobs that a daemon of this supply could run."""
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

"""Tell which pools a round has to plan: those that changed, those whose time has come, and those that could run what waits. Pure.

A plan depends on the pool, its Pods and their daemons, on the jobs that these could run, and on the time. As long as none of them
changes, neither does the plan, so that a round costs nothing for a pool at rest. Kept by `fleet_plan`.
"""

from collections.abc import Iterable
from itertools import count

from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.model.matching import Demand, Supply, satisfies
from provisioner_operator.core.model.work_queue import WorkQueue
from provisioner_operator.core.pools.records import Pool


class PoolAgenda:
    """Pools, and when each has to be planned again."""

    def __init__(self) -> None:
        self._work: WorkQueue[str] = WorkQueue()
        self._numbers: dict[str, int] = {}
        """Place of each pool in the order in which they were observed first, in which they are planned."""
        self._next = count()
        self._supply_of: dict[str, Supply] = {}
        self._pools_of: dict[str, dict[Supply, set[str]]] = {}
        """Uids of the pools by namespace and supply."""
        self._sharing: set[str] = set()
        """Pools that could run what waited in the last round."""

    def put(self, pool: Pool) -> None:
        """Add a pool, or take note that it changed."""
        if self._supply_of.get(pool.uid) != pool.supply:
            self._take_out(pool.uid)
            self._supply_of[pool.uid] = pool.supply
            self._pools_of.setdefault(pool.supply.namespace, {}).setdefault(pool.supply, set()).add(pool.uid)
        if pool.uid not in self._numbers:
            self._numbers[pool.uid] = next(self._next)
        self._work.add(pool.uid)

    def discard(self, uid: str) -> None:
        """Remove a pool that is gone."""
        self._take_out(uid)
        self._numbers.pop(uid, None)
        self._work.discard(uid)

    def change(self, uid: str) -> None:
        """Have the next round plan the pool."""
        self._work.add(uid)

    def change_all(self) -> None:
        """Have the next round plan all pools."""
        self._work.add(*self._numbers)

    def rest(self, uid: str) -> None:
        """Have no round plan the pool before something changes."""
        self._work.add_after(uid, None)

    def plan_in(self, uid: str, seconds: float | None, now: Instant) -> None:
        """Have the pool planned after so many seconds if nothing changes; None if only a change requires it."""
        self._work.add_after(uid, None if seconds is None else now.monotonic + seconds)

    def take(self, waiting: Iterable[Demand], now: Instant) -> list[str]:
        """Return the uids of the pools to plan now, given the demands of all jobs that wait for a daemon."""
        former, self._sharing = self._sharing, self._able(waiting)
        due = former | self._sharing
        while (uid := self._work.pop(now.monotonic)) is not None:
            due.add(uid)
        return sorted((uid for uid in due if uid in self._numbers), key=self._numbers.__getitem__)

    def next_in(self, now: Instant) -> float | None:
        """Return the seconds until a pool has to be planned though nothing changes; None if never."""
        due = self._work.next_wake()
        return None if due is None else due - now.monotonic

    def _able(self, waiting: Iterable[Demand]) -> set[str]:
        return {
            uid
            for demand in waiting
            for supply, uids in self._pools_of.get(demand.namespace, {}).items()
            if satisfies(supply, demand)
            for uid in uids
        }

    def _take_out(self, uid: str) -> None:
        supply = self._supply_of.pop(uid, None)
        if supply is None:
            return
        supplies = self._pools_of[supply.namespace]
        supplies[supply].discard(uid)
        if not supplies[supply]:
            del supplies[supply]
        if not supplies:
            del self._pools_of[supply.namespace]

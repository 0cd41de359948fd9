"""The daemons that pools order for waiting jobs at some moment, by the rules of `autoscaling` and `load_sharing`. Pure."""

from collections.abc import Sequence
from math import ceil

from provisioner_operator.core.estimates.situation import GrowingPool
from provisioner_operator.core.pools.autoscaling import need_changes_in, slots_needed
from provisioner_operator.core.pools.load_sharing import Contender, Waiting, share

_SHORTEST_LOOK_SECONDS = 1.0
"""Shortest time between two reviews of the pools."""


def ordered_daemons(
    pools: Sequence[GrowingPool], busy: Sequence[int], present: Sequence[int], waiting: Sequence[Waiting]
) -> tuple[list[int], float | None]:
    """Return the number of daemons that each pool orders, and the seconds until any may order more by time alone.

    `busy` are the slots in use and `present` the daemons of each pool.
    """
    loads = share(waiting, [_contender(pool, used) for pool, used in zip(pools, busy, strict=True)])
    orders: list[int] = []
    looks: list[float] = []
    for pool, used, daemons in zip(pools, busy, present, strict=True):
        load = loads[pool.uid]
        slots = slots_needed(load, used, pool.mean_run, pool.target_wait)
        wanted = pool.most if pool.is_fixed else min(pool.most, ceil(slots / pool.capacity))
        orders.append(max(0, wanted - daemons))
        look = need_changes_in(load, pool.mean_run, pool.target_wait)
        if look is not None and daemons < pool.most:
            looks.append(max(look, _SHORTEST_LOOK_SECONDS))
    return orders, min(looks, default=None)


def _contender(pool: GrowingPool, busy: int) -> Contender:
    return Contender(
        pool.uid,
        pool.name,
        pool.servers.supply,
        slots=pool.most * pool.capacity,
        busy=busy,
        mean_run=pool.mean_run,
        target_wait=pool.target_wait,
    )

"""Derive the prospects of waiting jobs from a pool's status: whether it is starting a daemon for them, or fails to."""

from provisioner_operator.api.v1alpha1.enums import PoolCondition
from provisioner_operator.core.pools.records import Pool
from provisioner_operator.core.scheduling.explanation import Growth


def growth_of(pool: Pool) -> Growth | None:
    """Return the prospects of waiting jobs; None if the pool has no daemons at all, however many jobs wait."""
    most = pool.autoscaling.max_replicas if pool.autoscaling is not None else pool.replicas
    if pool.deleting or most == 0:
        return None
    stalled = any(each.type == PoolCondition.STALLED and each.status == "True" for each in pool.status.conditions)
    ready = next((each for each in pool.status.conditions if each.type == PoolCondition.READY), None)
    trouble = ready.message if stalled and ready is not None else None
    return Growth(pool.name, pool.supply, has_room=pool.status.replicas < most, trouble=trouble)

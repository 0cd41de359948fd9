"""What jobs that wait may expect of a pool: whether it is going to make a daemon for them, or tries in vain."""

from provisioner_operator.api.v1alpha1.enums import PoolCondition
from provisioner_operator.core.pools.records import Pool
from provisioner_operator.core.scheduling.explanation import Growth


def growth_of(pool: Pool) -> Growth | None:
    """What jobs that wait may expect of the pool: nothing if it wants no daemon whoever waits."""
    most = pool.autoscaling.max_replicas if pool.autoscaling is not None else pool.replicas
    if pool.deleting or most == 0:
        return None
    stalled = any(each.type == PoolCondition.STALLED and each.status == "True" for each in pool.status.conditions)
    ready = next((each for each in pool.status.conditions if each.type == PoolCondition.READY), None)
    trouble = ready.message if stalled and ready is not None else None
    return Growth(pool.name, pool.supply, has_room=pool.status.replicas < most, trouble=trouble)

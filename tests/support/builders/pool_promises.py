"""Promises of a pool to its users, which `pool_world` checks wherever they could break."""

from collections.abc import Iterable

from provisioner_operator.core.pools.members import Member
from provisioner_operator.core.pools.records import Pool


class BrokenPromiseError(AssertionError):
    """Violation of a pool's promise to its users."""


def require_size(pool: Pool, revision: str, members: Iterable[Member], requested: int) -> None:
    """Require that existing and requested Pods exceed the desired number by no more than the surge of a rollout."""
    counted = [member for member in members if member.is_present]
    rolls_out = any(member.pod.revision != revision for member in counted)
    current_on_hold = sum(member.is_cordoned_by_admin and member.pod.revision == revision for member in counted)
    most = pool.replicas if pool.autoscaling is None else pool.autoscaling.max_replicas
    if len(counted) - current_on_hold + requested > most + (pool.max_surge if rolls_out else 0):
        raise BrokenPromiseError(f"{len(counted)} Pods exist and {requested} are requested, where {most} are desired")

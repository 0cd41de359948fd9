"""Backoffs of a pool's refused writes, each by its subject and kind. Used by the reconciler of pools."""

from collections.abc import Collection, Iterable

from provisioner_operator.core.model.backoff import Backoff, Refusal
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.pools.decisions import PoolDecision, UpdatePoolStatus
from provisioner_operator.core.pools.members import PoolPod

_STATUS = UpdatePoolStatus.__name__


class PoolBackoffs:
    """Refused decisions of all pools."""

    def __init__(self) -> None:
        self._of_pool: dict[str, dict[tuple[str, str], Backoff]] = {}

    def refused(self, decision: PoolDecision, refusal: Refusal, now: Instant) -> bool:
        """Back off; return whether to report the refusal."""
        subject, kind = _key(decision)
        backoff = self._of_pool.setdefault(decision.pool.uid, {}).setdefault((subject, kind), Backoff())
        return backoff.refused(kind, refusal, now.monotonic)

    def accepted(self, decision: PoolDecision) -> None:
        """Reset the decision's backoff."""
        self._of_pool.get(decision.pool.uid, {}).pop(_key(decision), None)

    def active(self, decision: PoolDecision, now: Instant) -> Backoff | None:
        """Return the backoff that holds the decision back now."""
        backoff = self._of_pool.get(decision.pool.uid, {}).get(_key(decision))
        return backoff if backoff is not None and backoff.is_active(now.monotonic) else None

    def concern(self, pool_uid: str) -> bool:
        """Return whether any write of the pool was refused and has not succeeded since, or stopped being due."""
        return bool(self._of_pool.get(pool_uid))

    def message(self, pool_uid: str) -> str | None:
        """Return the message for the status about a refused write of the pool; None unless somebody has to act."""
        backoffs = self._of_pool.get(pool_uid, {}).values()
        refusals = (backoff.refusal for backoff in backoffs if backoff.kind != _STATUS)
        shown = next((each for each in refusals if each is not None and not each.transient), None)
        return None if shown is None else f"A write is refused: {shown.message}"

    def forget(self, pool_uid: str) -> None:
        """Reset all backoffs of a pool, which changed or is gone."""
        self._of_pool.pop(pool_uid, None)

    def forget_pod(self, pod: PoolPod) -> None:
        """Reset the backoffs of a changed Pod."""
        backoffs = self._of_pool.get(pod.pool_uid, {})
        for key in [key for key in backoffs if key[0] == pod.uid]:
            del backoffs[key]

    def drop_obsolete(self, decisions: Iterable[PoolDecision], under_way: Collection[str]) -> bool:
        """Drop backoffs of decisions that are no longer due, so that the status stops reporting them; return whether any was.

        Status writes are exempt: they are not due in every round.
        """
        wanted = {_key(decision) for decision in decisions}
        dropped = False
        for backoffs in self._of_pool.values():
            over = [key for key in backoffs if key not in wanted and key[1] != _STATUS and key[0] not in under_way]
            for key in over:
                del backoffs[key]
                dropped = True
        return dropped


def _key(decision: PoolDecision) -> tuple[str, str]:
    return decision.subject, type(decision).__name__

"""Cache the explanations of one namespace with its daemons and pools: what makes no difference is not compared twice.

Whether jobs of a demand are stuck depends on the daemons themselves, and the reason why they wait on their slots too:
the former changes rarely, the latter with each job. Used by `live_queue`. Pure.
"""

from provisioner_operator.api.v1alpha1.enums import PendingReason
from provisioner_operator.core.model.matching import Demand
from provisioner_operator.core.scheduling.explanation import STUCK, Explanation, Growth, explain
from provisioner_operator.core.scheduling.smallest_change import Candidate

_MOST_DEMANDS = 4096
"""Number of demands whose explanations are kept: users may ask about any."""


class ExplanationCache:
    """Explanations of a namespace, with its daemons and pools."""

    def __init__(self) -> None:
        self._candidates: dict[str, Candidate] = {}
        self._growths: dict[str, Growth] = {}
        self._explained: dict[Demand, Explanation | None] = {}
        self._reasons: dict[Demand, PendingReason | None] = {}
        """Reasons of the demands that are stuck; None for those that are not."""

    @property
    def size(self) -> int:
        """Number of explanations that are kept."""
        return len(self._explained)

    @property
    def is_empty(self) -> bool:
        """Whether the namespace has neither daemons nor prospects of any."""
        return not self._candidates and not self._growths

    def put_daemon(self, candidate: Candidate) -> None:
        """Add a daemon, or replace its former state."""
        uid = candidate.daemon.uid
        former = self._candidates.get(uid)
        self._candidates[uid] = candidate
        if former is None or _ability(former) != _ability(candidate):
            self._forget_explanations()
        elif former.free != candidate.free:
            self._explained.clear()

    def remove_daemon(self, uid: str) -> None:
        """Remove a daemon that is gone."""
        self._candidates.pop(uid, None)
        self._forget_explanations()

    def put_pool(self, uid: str, growth: Growth | None) -> None:
        """Record the prospects that a pool gives to waiting jobs; None if it gives none."""
        former = self._growths.pop(uid, None)
        if growth is not None:
            self._growths[uid] = growth
        if growth != former:
            self._forget_explanations()

    def candidates(self) -> list[Candidate]:
        """Return the daemons with their availability for a new job."""
        return list(self._candidates.values())

    def explain(self, demand: Demand) -> Explanation | None:
        """Return why jobs of this demand wait; None if a daemon is ready to run one."""
        if demand not in self._explained:
            if len(self._explained) >= _MOST_DEMANDS:
                self._forget_explanations()
            self._explained[demand] = explain(demand, self.candidates(), self._growths.values())
        return self._explained[demand]

    def reason_while_waiting(self, demand: Demand) -> PendingReason | None:
        """Return the reason that keeps jobs of this demand waiting until somebody acts; None if there is none."""
        if demand not in self._reasons:
            explanation = self.explain(demand)
            is_stuck = explanation is not None and explanation.reason in STUCK
            self._reasons[demand] = explanation.reason if explanation is not None and is_stuck else None
        return self._reasons[demand]

    def _forget_explanations(self) -> None:
        self._explained.clear()
        self._reasons.clear()


def _ability(candidate: Candidate) -> tuple[object, ...]:
    """Return all that an explanation depends on, apart from the free slots."""
    daemon = candidate.daemon
    return (
        daemon.name,
        daemon.supply,
        daemon.state,
        daemon.cordoned,
        candidate.online,
        candidate.starting,
    )

"""Reduce a fleet to the daemons that can make a difference to an explanation: one of each kind.

Explanations compare a demand with daemons; thousands of a pool differ in nothing but their names. Used by the job
reconciler, once a round, however many demands are explained in it.
"""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from provisioner_operator.core.scheduling.smallest_change import Candidate


def distinct(candidates: Iterable[Candidate], advised: AbstractSet[str]) -> list[Candidate]:
    """Return the candidates whose names are `advised`, and of each further kind the one whose name sorts first."""
    kept: list[Candidate] = []
    first: dict[tuple[object, ...], Candidate] = {}
    for each in candidates:
        if each.daemon.name in advised:
            kept.append(each)
            continue
        kind = _kind(each)
        known = first.get(kind)
        if known is None or each.daemon.name < known.daemon.name:
            first[kind] = each
    return [*kept, *first.values()]


def _kind(candidate: Candidate) -> tuple[object, ...]:
    """Return everything that an explanation depends on, apart from the name."""
    daemon = candidate.daemon
    return (daemon.supply, daemon.state, daemon.cordoned, candidate.online, candidate.free, candidate.starting)

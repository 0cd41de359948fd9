"""The shares of the groups in the course of events: slots in use and past use, each for one unit of weight. Pure.

On the scale of `queueing.use`, of which the present is 1: a second counts twice as much a half-life later. Without
fairness all groups have the same share.
"""

from provisioner_operator.core.estimates.situation import Situation

_MOST_HALF_LIVES = 500.0
"""Half-lives ahead up to which use grows: beyond, no number could hold it, and no estimate reaches that far."""


class Shares:
    """Slots and past use of each group."""

    def __init__(self, situation: Situation) -> None:
        self._fairness = situation.fairness
        self._slots: dict[str, int] = {}
        self._past = dict(situation.past_use)
        for run in situation.runs:
            self.start(run.job.group)

    def of(self, group: str) -> tuple[float, float]:
        """Return the sort key of a group: the smallest goes first."""
        if self._fairness is None:
            return (0.0, 0.0)
        weight = self._fairness.weight_of(group)
        return self._slots.get(group, 0) / weight, self._past.get(group, 0.0) / weight

    def start(self, group: str) -> None:
        """Count a slot of the group."""
        if self._fairness is not None:
            self._slots[group] = self._slots.get(group, 0) + 1

    def end(self, group: str, since: float, until: float) -> bool:
        """Count a slot of the group no more, but the time in which it was used; return whether any order depends on that."""
        if self._fairness is None:
            return False
        self._slots[group] -= 1
        begin, end = (2 ** min(time / self._fairness.half_life, _MOST_HALF_LIVES) for time in (since, until))
        self._past[group] = self._past.get(group, 0.0) + end - begin
        return True

"""The waiting jobs of one demand in lanes, of which the first is known at any time. Pure.

Jobs that differ in nothing but their age form a lane: same demand, priority, group and limits. A lane is ordered by age, and
lanes by their group's share and their oldest job, so a decision costs the same however many jobs wait. A lane whose group takes
more is put in its place when it is first, one whose group has less at once: a key is never later than it should be. Lanes that a
limit holds up stand aside together, under that limit, and come back together: the first of them is compared with the
others, whichever it is, so a decision does not depend on the number of groups either. Part of `namespace_queue`.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from provisioner_operator.core.model.keyed_heap import KeyedHeap
from provisioner_operator.core.model.matching import Demand
from provisioner_operator.core.scheduling.queueing.policy import LimitKey
from provisioner_operator.core.scheduling.queueing.shares import HeadKey, ShareKey, head_key

if TYPE_CHECKING:
    from provisioner_operator.core.jobs.ordering import CreationKey


class LaneKey(NamedTuple):
    """Properties that all jobs of a lane share, apart from their demand."""

    priority: int
    background: bool
    group: str
    limits: tuple[LimitKey, ...]


class Lane:
    """Jobs that differ in nothing but their age."""

    __slots__ = ("jobs", "key", "limit", "line")

    def __init__(self, key: LaneKey, line: "DemandLanes") -> None:
        self.key = key
        self.line = line
        self.jobs: KeyedHeap[str, CreationKey] = KeyedHeap()
        self.limit: LimitKey | None = None
        """Limit under which it stands: one of its own that was reached when it was last first."""


class DemandLanes:
    """The lanes of one demand."""

    __slots__ = ("_open", "_reached", "_share_of", "demand", "lanes", "under")

    def __init__(
        self,
        demand: Demand,
        reached: Callable[[tuple[LimitKey, ...]], LimitKey | None],
        share_of: Callable[[str], ShareKey],
    ) -> None:
        """`reached` returns the first of some limits that is reached now, and `share_of` the present share of a group."""
        self.demand = demand
        self.lanes: dict[LaneKey, Lane] = {}
        self.under: dict[LimitKey, KeyedHeap[Lane, HeadKey]] = {}
        """Lanes that stand under a limit."""
        self._open: KeyedHeap[Lane | LimitKey, HeadKey] = KeyedHeap()
        """Lanes that stand under no limit, and limits that are not reached and have lanes, by the first of these."""
        self._reached = reached
        self._share_of = share_of

    def head(self) -> tuple[HeadKey, Lane | LimitKey] | None:
        """Return what is first as far as it is known: it may have to come later."""
        return self._open.peek()

    def first(self) -> tuple[HeadKey, Lane] | None:
        """Return the first lane, with the sort key of its oldest job; None if limits hold up all."""
        while (head := self._open.peek()) is not None:
            key, place = head
            lane = place if isinstance(place, Lane) else self.under[place].first()
            reached = self._reached(lane.key.limits)
            if reached is not None and reached == place:
                self._open.discard(place)
            elif reached is not None:
                # The limit under which it stands, if it does, has room; another one has not.
                self._stand(lane, reached)
            elif key[2:4] != self._share_of(lane.key.group):
                self.renew(lane)
            else:
                return key, lane
        return None

    def renew(self, lane: Lane) -> None:
        """Bring the place of a lane in order after a change of its jobs, of which it has any, or of its group's share."""
        key, limit = lane.key, lane.limit
        age, _ = lane.jobs.first_entry()
        place = head_key(key.priority, self._share_of(key.group), age, background=key.background)
        if limit is None:
            self._open.put(lane, place)
            return
        lanes = self.under.get(limit)
        if lanes is None:
            lanes = self.under[limit] = KeyedHeap()
        lanes.put(lane, place)
        self.renew_limit(limit)

    def renew_limit(self, limit: LimitKey) -> None:
        """Bring the place of the lanes under a limit in order, which may be reached now, or no more."""
        first = self.under[limit].peek()
        if first is None or self._reached((limit,)) is not None:
            self._open.discard(limit)
        else:
            self._open.put(limit, first[0])
        if first is None:
            del self.under[limit]

    def drop(self, lane: Lane) -> None:
        """Remove a lane that has no jobs any more."""
        self._leave(lane)
        del self.lanes[lane.key]

    def _stand(self, lane: Lane, limit: LimitKey) -> None:
        """Let the lane stand under a limit that holds it up."""
        self._leave(lane)
        lane.limit = limit
        self.renew(lane)

    def _leave(self, lane: Lane) -> None:
        """Take the lane from where it stands."""
        if lane.limit is None:
            self._open.discard(lane)
        else:
            self.under[lane.limit].discard(lane)
            self.renew_limit(lane.limit)

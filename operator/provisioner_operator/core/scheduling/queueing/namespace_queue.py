"""The waiting jobs of one namespace, of which the first under its policy is known at any time. Pure.

Jobs that differ in nothing but their age form a lane: same demand, priority, group and limits. A lane is ordered by age, and
lanes by their group's share and their oldest job, so a decision costs the same however many jobs wait. A lane whose group takes
more is put in its place when it is first, one whose group has less at once: a key is never later than it should be. Lanes that a
limit holds up stand aside together, under that limit, and come back together: the first of them is compared with the
others, whichever it is, so a decision does not depend on the number of groups either.
"""

from collections.abc import Iterable
from typing import NamedTuple

from provisioner_operator.core.jobs.ordering import CreationKey, creation_key
from provisioner_operator.core.model.keyed_heap import KeyedHeap
from provisioner_operator.core.model.matching import Demand
from provisioner_operator.core.model.records import Job
from provisioner_operator.core.scheduling.queueing.policy import NO_POLICY, LimitKey, PastRun, QueuePolicy
from provisioner_operator.core.scheduling.queueing.shares import HeadKey, ShareKey, head_key, share_key
from provisioner_operator.core.scheduling.queueing.slots import UsedSlots
from provisioner_operator.core.scheduling.queueing.use import PastUse


class _Line:
    """The lanes of one demand, by the limit under which they stand; None for those that stand under none."""

    __slots__ = ("demand", "open", "under")

    def __init__(self, demand: Demand) -> None:
        self.demand = demand
        self.under: dict[LimitKey | None, KeyedHeap[_Lane, HeadKey]] = {}
        self.open: KeyedHeap[LimitKey | None, HeadKey] = KeyedHeap()
        """Limits that are not reached and have lanes, by the first of these."""


class _LaneKey(NamedTuple):
    demand: Demand
    priority: int
    background: bool
    group: str
    limits: tuple[LimitKey, ...]


class _Lane:
    """Jobs that differ in nothing but their age."""

    __slots__ = ("jobs", "key", "line", "place")

    def __init__(self, key: _LaneKey, line: _Line) -> None:
        self.key = key
        self.line = line
        self.jobs: KeyedHeap[str, CreationKey] = KeyedHeap()
        self.place: LimitKey | None = None
        """Limit under which it stands: one of its own that was reached when it was last first."""


class NamespaceQueue:
    """Jobs of a namespace that may start, and what its policy counts: slots in use and ended runs."""

    def __init__(self, policy: QueuePolicy = NO_POLICY) -> None:
        self.policy = policy
        self.slots = UsedSlots(policy)
        self.past = None if policy.fairness is None else PastUse(policy.fairness.half_life)
        """Past use; None without fairness, where it changes nothing."""
        self._jobs: dict[str, Job] = {}
        self._lane_of: dict[str, _Lane] = {}
        self._lanes: dict[_LaneKey, _Lane] = {}
        self._lanes_of: dict[str, dict[_Lane, None]] = {}
        """Lanes by group."""
        self._lines: dict[Demand, _Line] = {}
        self._demands_of: dict[LimitKey, dict[Demand, int]] = {}
        """Number of each demand's lanes that count for a limit."""

    # --- what is known ---

    def __len__(self) -> int:
        return len(self._jobs)

    @property
    def is_idle(self) -> bool:
        """Whether it has neither a job that waits nor one that uses a slot."""
        return not self._jobs and not len(self.slots)

    def waiting(self) -> list[Job]:
        """Return the jobs that wait, in no particular order."""
        return list(self._jobs.values())

    def has(self, demand: Demand) -> bool:
        """Return whether any job of the demand waits."""
        return demand in self._lines

    def demands(self) -> list[Demand]:
        """Return the demands of the jobs that wait."""
        return list(self._lines)

    def first(self, demand: Demand) -> tuple[HeadKey, Job] | None:
        """Return the next job of the demand, with its sort key; None if none waits, or limits hold up all."""
        line = self._lines.get(demand)
        while line is not None and (open_place := line.open.peek()) is not None:
            key, place = open_place
            lane = line.under[place].first()
            reached = next((limit for limit in lane.key.limits if not self.slots.room(limit)), None)
            if reached is not None and reached == place:
                line.open.discard(place)
            elif reached is not None:
                # The limit under which it stands has room, another one has not.
                self._stand(lane, reached)
            elif key[2:4] != self.share_of(lane.key.group):
                self._renew(lane)
            else:
                return key, self._jobs[lane.jobs.first()]
        return None

    def limit_of(self, job: Job) -> LimitKey | None:
        """Return a limit that is reached and for which the waiting job counts; None if there is none."""
        limits = self.policy.limits_of(job)
        return next((limit for limit in limits if not self.slots.room(limit)), None)

    def depths(self) -> dict[Demand, int]:
        """Return the number of jobs of each demand that could run at the same time: as many as the limits let."""
        rooms: dict[LimitKey, int] = {}
        counts: dict[Demand, int] = {}
        for lane in self._lanes:
            for limit in lane.limits:
                rooms.setdefault(limit, self.slots.room(limit))
            count = min([len(self._lanes[lane].jobs), *(rooms[limit] for limit in lane.limits)])
            for limit in lane.limits:
                rooms[limit] -= count
            if count:
                counts[lane.demand] = counts.get(lane.demand, 0) + count
        return counts

    def groups(self) -> list[str]:
        """Return the groups that have jobs which wait or use a slot."""
        return list(dict.fromkeys((*self._lanes_of, *self.slots.groups())))

    def count_group(self, group: str) -> tuple[int, float | None]:
        """Count the waiting jobs of a group, and return the time at which the oldest was created."""
        lanes = [lane.jobs for lane in self._lanes_of.get(group, ())]
        oldest = min((first[0][0] for lane in lanes if (first := lane.peek()) is not None), default=None)
        return sum(map(len, lanes)), oldest

    def claimable_groups(self) -> dict[str, float]:
        """Return the groups whose jobs go first and wait for nothing but a slot, with the creation time of the oldest of these."""
        found: dict[tuple[int, bool], dict[str, float]] = {}
        for lane, state in self._lanes.items():
            oldest = state.jobs.peek()
            if oldest is not None and all(self.slots.room(limit) for limit in lane.limits):
                groups = found.setdefault((-lane.priority, lane.background), {})
                groups[lane.group] = min(oldest[0][0], groups.get(lane.group, oldest[0][0]))
        return found[min(found)] if found else {}

    def count_limit(self, name: str) -> tuple[int, int]:
        """Count the jobs that run under a limit, and those that wait because it is reached."""
        reached = {key for key in self._demands_of if key[0] == name and not self.slots.room(key)}
        blocked = sum(len(state.jobs) for lane, state in self._lanes.items() if not reached.isdisjoint(lane.limits))
        return sum(len(self.slots.under(key)) for key in self.slots.limits() if key[0] == name), blocked

    # --- changes of the waiting jobs ---

    def put(self, job: Job) -> None:
        """Add a job that may start, or replace its former version."""
        key = self._lane_key(job)
        known = self._lane_of.get(job.uid)
        if known is not None and known.key != key:
            self.discard(job.uid)
        lane = self._lanes.get(key) or self._add_lane(key)
        self._jobs[job.uid] = job
        self._lane_of[job.uid] = lane
        lane.jobs.put(job.uid, creation_key(job))
        self._renew(lane)

    def discard(self, uid: str) -> Job:
        """Remove a waiting job that may not start now, and return it."""
        job = self._jobs.pop(uid)
        lane = self._lane_of.pop(uid)
        lane.jobs.discard(uid)
        self._renew(lane)
        return job

    # --- changes of what the policy counts; they return the demands whose first job may come earlier now ---

    def take_slot(self, job: Job) -> list[Demand]:
        """Count a slot for a job that is assigned or runs."""
        groups, limits = self.slots.take(job)
        # Who has more now is noticed when it is first; a job that changed may have left a group or a limit.
        left = groups - {self.policy.group_of(job)}, limits - set(self.policy.limits_of(job))
        return self._eased(*left) if any(left) else []

    def free_slot(self, uid: str) -> list[Demand]:
        """Count no slot for a job that neither is assigned nor runs any more."""
        return self._eased(*self.slots.free(uid))

    def add_past_run(self, run: PastRun) -> None:
        """Count a run that has ended."""
        if self.past is not None:
            self.past.add(run, self.policy.group_of(run))

    def forget_past_run(self, uid: str) -> list[Demand]:
        """Count a run no longer whose job is gone."""
        group = None if self.past is None else self.past.remove(uid)
        return [] if group is None else self._eased({group}, ())

    def advance(self, now: float) -> list[Demand]:
        """Let time pass, up to this wall-clock time."""
        if self.past is None or not self.past.advance(now):
            return []
        return self._eased(list(self._lanes_of), ())

    def share_of(self, group: str, *, more: int = 0) -> ShareKey:
        """Return the sort key of the group if so many more of its jobs used a slot."""
        past_use = 0 if self.past is None else self.past.of(group)
        return share_key(self.policy, group, self.slots.of_group(group) + more, past_use)

    # --- inside ---

    def _lane_key(self, job: Job) -> _LaneKey:
        policy = self.policy
        background, group = policy.is_background(job), policy.group_of(job)
        return _LaneKey(job.demand, job.priority, background, group, policy.limits_of(job))

    def _eased(self, groups: Iterable[str], limits: Iterable[LimitKey]) -> list[Demand]:
        """Bring the lanes of groups and limits in order that have less now, and return the demands whose first is another."""
        changed: dict[Demand, None] = {}  # not a set, whose order differs between processes
        for limit in limits:
            for demand in self._demands_of.get(limit, ()):
                if limit in self._lines[demand].under:
                    self._renew_place(self._lines[demand], limit)
                    changed[demand] = None
        for group in groups if self.policy.fairness is not None else ():
            for lane in self._lanes_of.get(group, ()):
                before = lane.line.open.peek()
                self._renew(lane)
                if lane.line.open.peek() != before:
                    changed[lane.line.demand] = None
        return list(changed)

    def _renew(self, lane: _Lane) -> None:
        """Bring the lane's place in order after a change of its jobs or of its group's share."""
        line, key = lane.line, lane.key
        oldest = lane.jobs.peek()
        if oldest is None:
            line.under[lane.place].discard(lane)
            self._drop_lane(lane)
        else:
            lanes = line.under.get(lane.place)
            if lanes is None:
                lanes = line.under[lane.place] = KeyedHeap()
            share = self.share_of(key.group)
            lanes.put(lane, head_key(key.priority, share, oldest[0], background=key.background))
        self._renew_place(line, lane.place)

    def _renew_place(self, line: _Line, place: LimitKey | None) -> None:
        first = line.under[place].peek()
        if first is None or (place is not None and not self.slots.room(place)):
            line.open.discard(place)
        else:
            line.open.put(place, first[0])
        if first is None:
            del line.under[place]
            if not line.under:
                del self._lines[line.demand]

    def _stand(self, lane: _Lane, limit: LimitKey) -> None:
        """Let the lane stand under a limit that holds it up."""
        former, lane.place = lane.place, limit
        lane.line.under[former].discard(lane)
        self._renew(lane)
        self._renew_place(lane.line, former)

    def _add_lane(self, key: _LaneKey) -> _Lane:
        line = self._lines.get(key.demand)
        if line is None:
            line = self._lines[key.demand] = _Line(key.demand)
        lane = self._lanes[key] = _Lane(key, line)
        self._lanes_of.setdefault(key.group, {})[lane] = None
        for limit in key.limits:
            demands = self._demands_of.setdefault(limit, {})
            demands[key.demand] = demands.get(key.demand, 0) + 1
        return lane

    def _drop_lane(self, lane: _Lane) -> None:
        key = lane.key
        del self._lanes[key]
        for limit in key.limits:
            demands = self._demands_of[limit]
            demands[key.demand] -= 1
            if not demands[key.demand]:
                del demands[key.demand]
            if not demands:
                del self._demands_of[limit]
        lanes = self._lanes_of[key.group]
        del lanes[lane]
        if not lanes:
            del self._lanes_of[key.group]

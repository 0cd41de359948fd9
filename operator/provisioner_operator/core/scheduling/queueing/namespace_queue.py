"""The waiting jobs of one namespace, of which the first under its policy is known at any time. Pure.

They stand in lines, one for each demand (`lanes`). Here are the policy, and what it counts: a change of that concerns lanes of many
demands.
"""

from collections.abc import Iterable, Iterator

from provisioner_operator.core.jobs.ordering import creation_key
from provisioner_operator.core.model.matching import Demand
from provisioner_operator.core.model.records import Job
from provisioner_operator.core.scheduling.queueing.lanes import DemandLanes, Lane, LaneKey
from provisioner_operator.core.scheduling.queueing.policy import NO_POLICY, LimitKey, PastRun, QueuePolicy
from provisioner_operator.core.scheduling.queueing.shares import NO_SHARE, HeadKey, ShareKey, share_key
from provisioner_operator.core.scheduling.queueing.slots import UsedSlots
from provisioner_operator.core.scheduling.queueing.use import PastUse


class NamespaceQueue:
    """Jobs of a namespace that may start, and what its policy counts: slots in use and ended runs."""

    def __init__(self, policy: QueuePolicy = NO_POLICY) -> None:
        self.policy = policy
        self.slots = UsedSlots(policy)
        self.past = None if policy.fairness is None else PastUse(policy.fairness.half_life)
        """Past use; None without fairness, where it changes nothing."""
        self._jobs: dict[str, Job] = {}
        self._lane_of: dict[str, Lane] = {}
        self._lanes_of: dict[str, dict[Lane, None]] = {}
        """Lanes by group."""
        self._lines: dict[Demand, DemandLanes] = {}
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
        first = None if line is None else line.first()
        return None if first is None else (first[0], self._jobs[first[1].jobs.first()])

    def limit_of(self, job: Job) -> LimitKey | None:
        """Return a limit that is reached and for which the waiting job counts; None if there is none."""
        return self._reached(self.policy.limits_of(job))

    def depths(self) -> dict[Demand, int]:
        """Return the number of jobs of each demand that could run at the same time: as many as the limits let."""
        rooms: dict[LimitKey, int] = {}
        counts: dict[Demand, int] = {}
        for lane in self._lanes():
            limits = lane.key.limits
            for limit in limits:
                rooms.setdefault(limit, self.slots.room(limit))
            count = min([len(lane.jobs), *(rooms[limit] for limit in limits)])
            for limit in limits:
                rooms[limit] -= count
            if count:
                counts[lane.line.demand] = counts.get(lane.line.demand, 0) + count
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
        for lane in self._lanes():
            key, oldest = lane.key, lane.jobs.peek()
            if oldest is not None and self._reached(key.limits) is None:
                groups = found.setdefault((-key.priority, key.background), {})
                groups[key.group] = min(oldest[0][0], groups.get(key.group, oldest[0][0]))
        return found[min(found)] if found else {}

    def count_limit(self, name: str) -> tuple[int, int]:
        """Count the jobs that run under a limit, and those that wait because it is reached."""
        reached = {key for key in self._demands_of if key[0] == name and not self.slots.room(key)}
        blocked = sum(len(lane.jobs) for lane in self._lanes() if not reached.isdisjoint(lane.key.limits))
        return sum(len(self.slots.under(key)) for key in self.slots.limits() if key[0] == name), blocked

    # --- changes of the waiting jobs ---

    def put(self, job: Job) -> bool:
        """Add a job that may start, or replace its former version; return whether the first of its demand may be another now."""
        key, known = self._lane_key(job), self._lane_of.get(job.uid)
        was_first = False
        if known is not None and known.key == key and known.line.demand == job.demand:
            lane = known
        else:
            was_first = known is not None and self.discard(job.uid) is not None
            lane = self._lane_for(job.demand, key)
        self._jobs[job.uid] = job
        self._lane_of[job.uid] = lane
        oldest = lane.jobs.peek()
        lane.jobs.put(job.uid, creation_key(job))
        # All that depends on a lane's jobs is the oldest of them.
        if lane.jobs.peek() == oldest:
            return was_first
        self._renew(lane)
        return True

    def discard(self, uid: str) -> Demand | None:
        """Remove a waiting job that may not start now; return its demand if the first of that may be another now."""
        del self._jobs[uid]
        lane = self._lane_of.pop(uid)
        oldest = lane.jobs.first()
        lane.jobs.discard(uid)
        if oldest != uid:
            return None
        self._renew(lane)
        return lane.line.demand

    # --- changes of what the policy counts; they return the demands whose first job may come earlier now ---

    def take_slot(self, job: Job) -> list[Demand]:
        """Count a slot for a job that is assigned or runs."""
        # Who has more now is noticed when it is first; a job that changed may have left a group or a limit.
        left = self.slots.take(job)
        return self._eased(*left) if any(left) else []

    def free_slot(self, uid: str) -> list[Demand]:
        """Count no slot for a job that neither is assigned nor runs any more."""
        freed = self.slots.free(uid)
        return self._eased(*freed) if self.policy.is_counting else []

    def add_past_run(self, run: PastRun) -> None:
        """Count a run that has ended."""
        if self.past is not None:
            self.past.add(run, self.policy.group_of(run))

    def forget_past_run(self, uid: str) -> list[Demand]:
        """Count a run no longer whose job is gone."""
        group = None if self.past is None else self.past.remove(uid)
        return [] if group is None else self._eased((group,), ())

    def advance(self, now: float) -> list[Demand]:
        """Let time pass, up to this wall-clock time."""
        if self.past is None or not self.past.advance(now):
            return []
        return self._eased(list(self._lanes_of), ())

    def share_of(self, group: str, *, more: int = 0) -> ShareKey:
        """Return the sort key of the group if so many more of its jobs used a slot."""
        fairness = self.policy.fairness
        if fairness is None or self.past is None:
            return NO_SHARE
        return share_key(fairness, group, self.slots.of_group(group) + more, self.past.of(group))

    # --- inside ---

    def _lane_key(self, job: Job) -> LaneKey:
        policy = self.policy
        if policy is NO_POLICY:
            return LaneKey(job.priority, background=False, group="", limits=())
        return LaneKey(job.priority, policy.is_background(job), policy.group_of(job), policy.limits_of(job))

    def _lanes(self) -> Iterator[Lane]:
        return (lane for line in self._lines.values() for lane in line.lanes.values())

    def _reached(self, limits: tuple[LimitKey, ...]) -> LimitKey | None:
        """Return the first of these limits that is reached."""
        for limit in limits:
            if not self.slots.room(limit):
                return limit
        return None

    def _eased(self, groups: Iterable[str], limits: Iterable[LimitKey]) -> list[Demand]:
        """Bring the lanes of groups and limits in order that have less now, and return the demands whose first is another."""
        changed: dict[Demand, None] = {}  # not a set, whose order differs between processes
        for limit in limits:
            for demand in self._demands_of.get(limit, ()):
                if limit in self._lines[demand].under:
                    self._lines[demand].renew_limit(limit)
                    changed[demand] = None
        for group in groups if self.policy.fairness is not None else ():
            for lane in self._lanes_of.get(group, ()):
                before = lane.line.head()
                lane.line.renew(lane)
                if lane.line.head() != before:
                    changed[lane.line.demand] = None
        return list(changed)

    def _renew(self, lane: Lane) -> None:
        """Bring the lane in order after a change of its jobs."""
        if len(lane.jobs):
            lane.line.renew(lane)
        else:
            self._drop_lane(lane)

    def _lane_for(self, demand: Demand, key: LaneKey) -> Lane:
        line = self._lines.get(demand)
        if line is None:
            line = self._lines[demand] = DemandLanes(demand, self._reached, self.share_of)
        lane = line.lanes.get(key)
        return self._add_lane(line, key) if lane is None else lane

    def _add_lane(self, line: DemandLanes, key: LaneKey) -> Lane:
        lane = line.lanes[key] = Lane(key, line)
        self._lanes_of.setdefault(key.group, {})[lane] = None
        for limit in key.limits:
            demands = self._demands_of.setdefault(limit, {})
            demands[line.demand] = demands.get(line.demand, 0) + 1
        return lane

    def _drop_lane(self, lane: Lane) -> None:
        line, key = lane.line, lane.key
        line.drop(lane)
        if not line.lanes:
            del self._lines[line.demand]
        for limit in key.limits:
            demands = self._demands_of[limit]
            demands[line.demand] -= 1
            if not demands[line.demand]:
                del demands[line.demand]
            if not demands:
                del self._demands_of[limit]
        lanes = self._lanes_of[key.group]
        del lanes[lane]
        if not lanes:
            del self._lanes_of[key.group]

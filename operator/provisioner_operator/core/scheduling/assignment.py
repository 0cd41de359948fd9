"""Assign waiting jobs to free daemons, at a cost that does not depend on the length of the queue.

Jobs are grouped by demand, daemons by supply, and each supply keeps the demands that it satisfies in the order of their
first jobs, as the policy of their namespace orders them (`queueing`). Work arises only where a job arrives or a slot becomes
free; an assignment costs the number of supplies that match its demand. Across demands the queue's order holds. Among daemons, those with the fewest spare tags go first, so
that special ones stay free for the jobs that need them, then the one that has been free the longest.
"""

from collections.abc import Iterable

from provisioner_operator.core.model.keyed_heap import KeyedHeap
from provisioner_operator.core.model.matching import Demand, Supply, satisfies
from provisioner_operator.core.model.records import Daemon, Job
from provisioner_operator.core.scheduling.queueing.policy import PastRun, QueuePolicy
from provisioner_operator.core.scheduling.queueing.policy_queues import PolicyQueues
from provisioner_operator.core.scheduling.queueing.shares import HeadKey


class _SupplyState:
    __slots__ = ("free", "heads", "members")

    def __init__(self) -> None:
        self.members: set[str] = set()
        self.free: dict[str, tuple[Daemon, int]] = {}
        self.heads: KeyedHeap[Demand, HeadKey] = KeyedHeap()


class AssignmentQueue:
    """Queue of the jobs that may start, and the daemons that may take one."""

    def __init__(self) -> None:
        self._jobs = PolicyQueues()
        self._supplies: dict[Supply, _SupplyState] = {}
        self._supplies_for: dict[Demand, list[Supply]] = {}
        self._stirred: dict[Supply, None] = {}
        """Supplies with new work, in the order of its arrival: the order of a set would differ between processes."""

    def __contains__(self, job_uid: str) -> bool:
        """Return whether the job may start as soon as a daemon takes it, unless a limit holds it up."""
        return job_uid in self._jobs

    @property
    def queues(self) -> PolicyQueues:
        """The queues of the namespaces, to be read."""
        return self._jobs

    # --- jobs ---

    def enqueue(self, job: Job) -> None:
        """Add a job that may start as soon as a daemon takes it, or update its position."""
        if job.demand not in self._supplies_for:
            matching = [supply for supply in self._supplies if satisfies(supply, job.demand)]
            self._supplies_for[job.demand] = sorted(matching, key=_spare)
        if self._jobs.put(job):
            self._renew_head(job.demand)

    def dequeue(self, job_uid: str) -> None:
        """Remove a job that may not start now."""
        demand = self._jobs.discard(job_uid)
        if demand is None:
            return
        self._renew_head(demand)
        if not self._jobs.has(demand):
            del self._supplies_for[demand]

    # --- what the policies count ---

    def set_policy(self, namespace: str, policy: QueuePolicy, now: float, running: Iterable[Job] = ()) -> None:
        """Order the namespace's jobs by this policy from now on; `running` are those that use a slot, for a first policy."""
        self._renew_heads(self._jobs.set_policy(namespace, policy, now, running))

    def unset_policy(self, namespace: str, now: float) -> None:
        """Order the namespace's jobs by priority and age from now on."""
        self._renew_heads(self._jobs.unset_policy(namespace, now))

    def take_slot(self, job: Job) -> None:
        """Count a slot for a job that is assigned or runs, if its namespace has a policy."""
        for demand in self._jobs.take_slot(job):
            self._renew_head(demand)

    def free_slot(self, job_uid: str) -> None:
        """Count no slot for a job that neither is assigned nor runs any more."""
        for demand in self._jobs.free_slot(job_uid):
            self._renew_head(demand)

    def add_past_run(self, namespace: str, run: PastRun) -> None:
        """Count a run that has ended."""
        self._jobs.add_past_run(namespace, run)

    def forget_past_run(self, job_uid: str) -> None:
        """Count a run no longer whose job is gone."""
        self._renew_heads(self._jobs.forget_past_run(job_uid))

    # --- daemons ---

    def offer(self, daemon: Daemon, free: int) -> None:
        """Record that the daemon exists and has this many free slots."""
        supply = daemon.supply
        state = self._supplies.get(supply)
        if state is None:
            state = self._supplies[supply] = _SupplyState()
            for demand in self._supplies_for:
                if satisfies(supply, demand):
                    self._supplies_for[demand] = sorted((*self._supplies_for[demand], supply), key=_spare)
                    _put_head(state, demand, self._jobs.first(demand))
        state.members.add(daemon.uid)
        if free > 0:
            state.free[daemon.uid] = (daemon, free)
            self._stirred[supply] = None
        else:
            state.free.pop(daemon.uid, None)

    def remove(self, daemon: Daemon) -> None:
        """Remove a daemon that no longer exists, or that changes its supply."""
        state = self._supplies.get(daemon.supply)
        if state is None:
            return
        state.free.pop(daemon.uid, None)
        state.members.discard(daemon.uid)
        if not state.members:
            del self._supplies[daemon.supply]
            for supplies in self._supplies_for.values():
                if daemon.supply in supplies:
                    supplies.remove(daemon.supply)

    # --- both ---

    def match(self, now: float = 0.0) -> list[tuple[Job, Daemon]]:
        """Remove and return each job that a free daemon can take, best first, and take a slot of that daemon.

        `now` is wall-clock time, with which past use loses weight.
        """
        self._renew_heads(self._jobs.advance(now))
        turns: KeyedHeap[Supply, HeadKey] = KeyedHeap()
        for supply in self._stirred:
            self._put_turn(turns, supply)
        matched: list[tuple[Job, Daemon]] = []
        while (turn := turns.pop()) is not None:
            expected, supply = turn
            state = self._supplies[supply]
            first = state.heads.peek()
            if state.free and first is not None and first[0] == expected:
                # Whose group has taken more since, or whose limit is reached, comes later than it was.
                found = self._jobs.first(first[1])
                _put_head(state, first[1], found)
                if found is not None and state.heads.peek() == first:
                    matched.append((found[1], self._take(found[1])))
            self._put_turn(turns, supply)
        self._stirred.clear()
        return matched

    def depths(self) -> dict[Demand, tuple[int, Job]]:
        """Return the number of each demand's jobs that could run now if there were daemons, and the first."""
        return {
            demand: (count, first[1])
            for demand, count in self._jobs.depths().items()
            if (first := self._jobs.first(demand)) is not None
        }

    def _take(self, job: Job) -> Daemon:
        state = next(state for each in self._supplies_for[job.demand] if (state := self._supplies[each]).free)
        daemon, slots = state.free.pop(next(iter(state.free)))
        if slots > 1:
            state.free[daemon.uid] = (daemon, slots - 1)
        self.dequeue(job.uid)
        # At once: the next job is chosen by what then runs.
        self.take_slot(job)
        return daemon

    def _put_turn(self, turns: KeyedHeap[Supply, HeadKey], supply: Supply) -> None:
        state = self._supplies.get(supply)
        if state is not None and state.free and (first := state.heads.peek()) is not None:
            turns.put(supply, first[0])

    def _renew_heads(self, demands: Iterable[Demand]) -> None:
        for demand in demands:
            self._renew_head(demand)

    def _renew_head(self, demand: Demand) -> None:
        supplies = self._supplies_for[demand]
        first = self._jobs.first(demand) if supplies else None
        for supply in supplies:
            state = self._supplies[supply]
            _put_head(state, demand, first)
            if state.free:
                self._stirred[supply] = None


def _put_head(state: _SupplyState, demand: Demand, first: tuple[HeadKey, Job] | None) -> None:
    if first is None:
        state.heads.discard(demand)
    else:
        state.heads.put(demand, first[0])


def _spare(supply: Supply) -> tuple[int, int]:
    return (len(supply.tags), len(supply.provisioners))

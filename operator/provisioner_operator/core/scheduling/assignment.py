"""Assign waiting jobs to free daemons, at a cost that does not depend on the length of the queue.

Jobs are grouped by demand, daemons by supply, and each supply keeps the demands that it satisfies in the order of their
first jobs. Work arises only where a job arrives or a slot becomes free; an assignment costs the number of supplies that
match its demand. Across demands the queue's order holds. Among daemons, those with the fewest spare tags go first, so
that special ones stay free for the jobs that need them, then the one that has been free the longest.
"""

from provisioner_operator.core.jobs.ordering import QueueKey, queue_key
from provisioner_operator.core.model.keyed_heap import KeyedHeap
from provisioner_operator.core.model.matching import Demand, Supply, satisfies
from provisioner_operator.core.model.records import Daemon, Job


class _SupplyState:
    __slots__ = ("free", "heads", "members")

    def __init__(self) -> None:
        self.members: set[str] = set()
        self.free: dict[str, tuple[Daemon, int]] = {}
        self.heads: KeyedHeap[Demand, QueueKey] = KeyedHeap()


class AssignmentQueue:
    """Queue of the jobs that may start, and the daemons that may take one."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._queues: dict[Demand, KeyedHeap[str, QueueKey]] = {}
        self._supplies: dict[Supply, _SupplyState] = {}
        self._supplies_for: dict[Demand, list[Supply]] = {}
        self._stirred: dict[Supply, None] = {}
        """Supplies with new work, in the order of its arrival: the order of a set would differ between processes."""

    def __contains__(self, job_uid: str) -> bool:
        """Return whether the job may start as soon as a daemon takes it."""
        return job_uid in self._jobs

    def enqueue(self, job: Job) -> None:
        """Add a job that may start as soon as a daemon takes it, or update its position."""
        queue = self._queues.get(job.demand)
        if queue is None:
            queue = self._queues[job.demand] = KeyedHeap()
            matching = [supply for supply in self._supplies if satisfies(supply, job.demand)]
            self._supplies_for[job.demand] = sorted(matching, key=_spare)
        self._jobs[job.uid] = job
        queue.put(job.uid, queue_key(job))
        self._renew_head(job.demand)

    def dequeue(self, job_uid: str) -> None:
        """Remove a job that may not start now."""
        job = self._jobs.pop(job_uid, None)
        if job is None:
            return
        self._queues[job.demand].discard(job_uid)
        self._renew_head(job.demand)
        if not len(self._queues[job.demand]):
            del self._queues[job.demand], self._supplies_for[job.demand]

    def offer(self, daemon: Daemon, free: int) -> None:
        """Record that the daemon exists and has this many free slots."""
        supply = daemon.supply
        state = self._supplies.get(supply)
        if state is None:
            state = self._supplies[supply] = _SupplyState()
            for demand, queue in self._queues.items():
                if satisfies(supply, demand):
                    self._supplies_for[demand] = sorted((*self._supplies_for[demand], supply), key=_spare)
                    _put_head(state, demand, queue)
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

    def match(self) -> list[tuple[Job, Daemon]]:
        """Remove and return each job that a free daemon can take, best first, and take a slot of that daemon."""
        turns: KeyedHeap[Supply, QueueKey] = KeyedHeap()
        for supply in self._stirred:
            self._put_turn(turns, supply)
        matched: list[tuple[Job, Daemon]] = []
        while (turn := turns.pop()) is not None:
            expected, supply = turn
            state = self._supplies[supply]
            first = state.heads.peek()
            if state.free and first is not None and first[0] == expected:
                matched.append(self._take(first[1]))
            self._put_turn(turns, supply)
        self._stirred.clear()
        return matched

    def depths(self) -> dict[Demand, tuple[int, Job]]:
        """Return the length of each demand's queue, and its first job."""
        return {
            demand: (len(queue), self._jobs[first[1]])
            for demand, queue in self._queues.items()
            if (first := queue.peek()) is not None
        }

    def _take(self, demand: Demand) -> tuple[Job, Daemon]:
        state = next(state for each in self._supplies_for[demand] if (state := self._supplies[each]).free)
        daemon, slots = state.free.pop(next(iter(state.free)))
        if slots > 1:
            state.free[daemon.uid] = (daemon, slots - 1)
        job = self._jobs[self._queues[demand].first()]
        self.dequeue(job.uid)
        return job, daemon

    def _put_turn(self, turns: KeyedHeap[Supply, QueueKey], supply: Supply) -> None:
        state = self._supplies.get(supply)
        if state is not None and state.free and (first := state.heads.peek()) is not None:
            turns.put(supply, first[0])

    def _renew_head(self, demand: Demand) -> None:
        queue = self._queues[demand]
        for supply in self._supplies_for[demand]:
            state = self._supplies[supply]
            _put_head(state, demand, queue)
            if state.free:
                self._stirred[supply] = None


def _put_head(state: _SupplyState, demand: Demand, queue: KeyedHeap[str, QueueKey]) -> None:
    first = queue.peek()
    if first is None:
        state.heads.discard(demand)
    else:
        state.heads.put(demand, first[0])


def _spare(supply: Supply) -> tuple[int, int]:
    return (len(supply.tags), len(supply.provisioners))

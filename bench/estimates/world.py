"""A namespace in virtual time: jobs come, the product's own rules assign them and let its pool grow, runs end, daemons are lost.

Durations, arrivals and losses are drawn; everything that decides is the product's core. Somebody asks now and then when one of the
waiting jobs starts, from nothing but the objects that a user can read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import TYPE_CHECKING, Any

from provisioner_operator.api.v1alpha1.enums import DaemonState, Phase, Transition
from provisioner_operator.api.v1alpha1.names import QUEUE_NAME
from provisioner_operator.core.estimates.run_history import RunHistory
from provisioner_operator.core.model.records import Assignment, Daemon, Job, ReportedRun
from provisioner_operator.core.scheduling.assignment import AssignmentQueue
from provisioner_operator.core.scheduling.queueing.policy import past_run
from provisioner_operator.core.scheduling.queueing.records import Queue
from provisioner_operator.core.views.snapshot import Snapshot
from provisioner_operator.core.views.wait_estimate import estimates_in
from support.builders.core import NAMESPACE, NOON, a_daemon, a_job

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.estimates.pool import ReplayedPool
    from bench.estimates.scenarios import Scenario, Template


_PAST_JOBS = 500
"""Ended jobs of which a policy knows, as on the page."""


@dataclass(slots=True)
class Case:
    """A question that was asked, and what came of it."""

    asked: float
    p50: float | None = None
    """Estimate in seconds; None if the product said that it is unknown."""
    p90: float | None = None
    waited: float | None = None
    """Seconds from the question to the start; None while it has not started."""


class World:
    """One namespace."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self.scenario = scenario
        self.chance = Random(seed)  # noqa: S311 - chance, no secret
        self.now = NOON
        self.queue = AssignmentQueue()
        self.jobs: dict[str, Job] = {}
        """Unfinished jobs by uid."""
        self._seconds: dict[str, float] = {}
        """Durations of the runs of those that wait."""
        self.daemons: dict[str, Daemon] = {}
        self.silent: set[str] = set()
        """Daemons that are dead, and of which that is not known yet."""
        self.cases: dict[str, Case] = {}
        """Questions by the uid of the job."""
        self.pool: ReplayedPool | None = None
        self._ended: list[Job] = []
        self._history = RunHistory()
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        if scenario.policy is not None:
            self.queue.set_policy(NAMESPACE, scenario.policy, self.now)

    # --- time ---

    def at(self, time: float, event: Callable[[], None]) -> None:
        """Let this happen then."""
        heappush(self._events, (time, next(self._numbers), event))

    def run(self) -> None:
        """Let everything happen that is due."""
        while self._events:
            self.now, _, event = heappop(self._events)
            event()
            self.settle()

    def settle(self) -> None:
        """Assign the jobs that may start, and let the pool look at the others."""
        for job, daemon in self.queue.match(self.now):
            self._start(job, daemon)
        if self.pool is not None:
            self.pool.review()

    # --- jobs ---

    def submit(self, name: str, kind: Template, initiator: str, seconds: float) -> None:
        """Submit a job that is going to run for so long."""
        job = a_job(
            name,
            created=int(self.now - NOON),
            template=kind.name,
            transition=Transition.START,
            tags=dict(kind.tags),
            initiator=initiator,
        )
        self.jobs[job.uid] = job
        self._seconds[job.uid] = seconds
        self.queue.enqueue(job)

    def _start(self, job: Job, daemon: Daemon) -> None:
        running = replace(
            job,
            phase=Phase.RUNNING,
            started=self.now,
            assignment=Assignment(daemon.name, daemon.uid, "only", self.now),
        )
        self.jobs[job.uid] = running
        if (case := self.cases.get(job.uid)) is not None:
            case.waited = self.now - case.asked
        self.at(self.now + self._seconds.pop(job.uid), lambda: self._end(running, Phase.COMPLETED))

    def _end(self, job: Job, phase: Phase) -> None:
        given = job.assignment
        if job.uid not in self.jobs or given is None or (given.daemon_uid in self.silent and phase is Phase.COMPLETED):
            return
        del self.jobs[job.uid]
        ended = replace(job, phase=phase, finished=self.now)
        self._ended.append(ended)
        self._history.observe_end(ended)
        self.queue.free_slot(job.uid)
        if (run := past_run(ended)) is not None:
            self.queue.add_past_run(NAMESPACE, run)
        if self.pool is not None and ended.started is not None:
            self.pool.run_ended(given.daemon_uid, self.now - ended.started)
        self.offer(given.daemon_uid)

    def runs_on(self, daemon_uid: str) -> list[Job]:
        """Return the jobs that run on a daemon."""
        return [each for each in self.jobs.values() if each.assignment and each.assignment.daemon_uid == daemon_uid]

    # --- daemons ---

    def add_daemon(self, name: str, tags: dict[str, str], **fields: Any) -> Daemon:
        """Add a daemon that reports at once, unless it is still `starting`."""
        daemon = a_daemon(name, tags=tags, created=self.now, **fields)
        self.daemons[daemon.uid] = daemon
        if daemon.heartbeat is not None:
            self.offer(daemon.uid)
        return daemon

    def offer(self, uid: str) -> None:
        """Offer the free slots of a daemon that takes jobs."""
        daemon = self.daemons.get(uid)
        if daemon is not None:
            takes = daemon.heartbeat is not None and daemon.state is not DaemonState.OFFLINE and not daemon.cordoned
            free = daemon.capacity - len(self.runs_on(uid)) if takes and uid not in self.silent else 0
            self.queue.offer(daemon, free)

    def lose(self, uid: str, outage: float) -> None:
        """Let a daemon die; that is noticed when it has been silent for long enough, and it returns after the outage."""
        daemon = self.daemons[uid]
        self.silent.add(uid)
        self.offer(uid)
        self.at(self.now + daemon.lost_after, lambda: self._noticed(uid))
        self.at(self.now + daemon.lost_after + outage, lambda: self._returned(uid))

    def _noticed(self, uid: str) -> None:
        self.daemons[uid] = replace(self.daemons[uid], state=DaemonState.OFFLINE)
        for job in self.runs_on(uid):
            self._end(job, Phase.FAILED)

    def _returned(self, uid: str) -> None:
        self.silent.discard(uid)
        self.daemons[uid] = replace(self.daemons[uid], state=DaemonState.IDLE)
        self.offer(uid)

    # --- questions ---

    def ask(self) -> None:
        """Ask when a random waiting job starts, of which nobody has asked yet."""
        waiting = [job.uid for job in self.jobs.values() if job.assignment is None and job.uid not in self.cases]
        if not waiting:
            return
        uid = self.chance.choice(waiting)
        found = estimates_in(self._snapshot(), NAMESPACE, self._history).get(uid)
        self.cases[uid] = Case(self.now) if found is None else Case(self.now, found.p50, found.p90)

    def _snapshot(self) -> Snapshot:
        heartbeat = datetime.fromtimestamp(self.now, UTC).isoformat()
        fleet = [
            each if each.heartbeat is None else replace(each, heartbeat=heartbeat, runs=self._reported(each.uid))
            for each in self.daemons.values()
        ]
        policy = self.scenario.policy
        queues = () if policy is None else (Queue(NAMESPACE, QUEUE_NAME, "uid-of-queue", 1, 1, policy),)
        pools = () if self.pool is None else (self.pool.pool,)
        jobs = [*self.jobs.values(), *(self._ended[-_PAST_JOBS:] if queues else ())]
        return Snapshot(jobs, fleet, pools, queues, now=self.now)

    def _reported(self, uid: str) -> frozenset[ReportedRun]:
        return frozenset(ReportedRun(job.uid, job.workspace) for job in self.runs_on(uid))

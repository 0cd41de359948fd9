"""Cost of one decision of the pure core, which must not grow with the number of waiting jobs or demands.

Needs no API server: one job arrives, another ends, the core assigns the free slot, and observes the results of its writes.
"""

from __future__ import annotations

import gc
import time
import tracemalloc
from dataclasses import replace
from typing import TYPE_CHECKING

from bench.client import BenchError
from bench.plan import OURS
from bench.statistics import exponent
from provisioner_operator.api.v1alpha1.enums import DaemonState, EndReason, GroupField, JobType, Phase, Provisioner
from provisioner_operator.api.v1alpha1.names import RUNS_FINALIZER
from provisioner_operator.core.jobs.decisions import Assign
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.model.matching import Demand, Supply, effective_tags
from provisioner_operator.core.model.records import Assignment, Daemon, Job, Offer
from provisioner_operator.core.reconcilers.jobs import JobReconciler
from provisioner_operator.core.scheduling.queueing.policy import Fairness, Grouping, Limit, QueuePolicy
from provisioner_operator.core.scheduling.queueing.records import Queue
from provisioner_operator.core.scheduling.queueing.status import UpdateQueueStatus

if TYPE_CHECKING:
    from bench.plan import Plan
    from bench.results import Results

SCENARIO = "decision"
GROWTH_OF = "growth of "
"""Beginning of the name of every exponent."""
NAMESPACE = "ours"
EXPIRING = "memory of an ended job with a time to live"
EXPIRING_JOBS = 20_000
EPOCH = 1_800_000_000.0
"""Wall-clock time of all events."""


GROUPS = 1_000
"""Groups that share the slots under a policy, with a limit for each."""
TAG_SETS_OF_GROUPS = 30
"""Numbers of distinct demands among the jobs of groups."""
_POLICY = QueuePolicy(
    Fairness(Grouping(GroupField.INITIATOR), half_life=3600),
    (Limit("each", 5, per=Grouping(GroupField.INITIATOR)),),
)


def decision(queue: int, tag_sets: int, groups: int = 0) -> str:
    """Name of the measure for these sizes."""
    of_groups = f", {groups} groups" if groups else ""
    return f"one decision, {queue} pending, {tag_sets} tag sets{of_groups}"


async def measure(plan: Plan, results: Results) -> None:
    """Run the rounds, the sizes in turn; then measure the memory of ended jobs."""
    for tag_sets in plan.tag_sets:
        long_queues = {queue: _LongQueue(queue, tag_sets) for queue in plan.queues}
        for _ in range(plan.rounds):
            for queue, long_queue in long_queues.items():
                results.add(SCENARIO, decision(queue, tag_sets), OURS, 1e6 * long_queue.decide(plan.decisions), "µs")
        costs = {queue: results.median(decision(queue, tag_sets), OURS) for queue in plan.queues}
        results.add(
            SCENARIO, f"{GROWTH_OF}a decision with pending jobs, {tag_sets} tag sets", OURS, exponent(costs), ""
        )
    shared = {queue: _LongQueue(queue, TAG_SETS_OF_GROUPS, GROUPS) for queue in plan.queues}
    for _ in range(plan.rounds):
        for queue, long_queue in shared.items():
            name = decision(queue, TAG_SETS_OF_GROUPS, GROUPS)
            results.add(SCENARIO, name, OURS, 1e6 * long_queue.decide(plan.decisions), "µs")
    results.add(SCENARIO, EXPIRING, OURS, expiring_bytes(), "B")


def expiring_bytes() -> float:
    """Return the bytes that the core keeps of an ended job until its time to live is over."""
    now, mirror = Instant(wall=EPOCH, monotonic=0.0), JobReconciler()
    demand = Demand(NAMESPACE, Provisioner.ECHO, _tags(0))
    tracemalloc.start()
    for number in range(EXPIRING_JOBS):
        message = f"The job completed in {number} s."
        given = Assignment("daemon-0", "uid-of-daemon-0", f"uid-of-daemon-0.{number}", EPOCH, "1")
        running = replace(_job(number, demand), assignment=given, started=EPOCH, ttl=604_800)
        ended = replace(running, phase=Phase.COMPLETED, message=message, finished=EPOCH)
        mirror.observe_job(ended, now)
        list(mirror.decide(now))
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return size / EXPIRING_JOBS


class _LongQueue:
    """A reconciler with a long queue, in which one daemon per set of tags runs one job after another."""

    def __init__(self, queue: int, tag_sets: int, groups: int = 0) -> None:
        self._now = Instant(wall=EPOCH, monotonic=0.0)
        self._mirror = JobReconciler()
        self._version = 1
        self._running: list[Job] = []
        self._turn = 0
        self._arrived = queue + tag_sets
        self._groups = groups
        if groups:
            self._mirror.observe_queue(Queue(NAMESPACE, "default", "uid-of-queue", 1, 1, _POLICY), self._now)
        demands = [Demand(NAMESPACE, Provisioner.ECHO, _tags(number)) for number in range(tag_sets)]
        for number in range(tag_sets):
            self._mirror.observe_daemon(_daemon(number), self._now)
        for number in range(queue + tag_sets):
            self._mirror.observe_job(self._new(number, demands[number % tag_sets]), self._now)
        for decided in self._mirror.decide(self._now):
            if isinstance(decided, UpdateQueueStatus):
                continue
            if not isinstance(decided, Assign):
                raise BenchError(f"Expected only assignments, not {decided}")
            self._running.append(self._carry_out(decided))

    def decide(self, times: int) -> float:
        """Return the mean CPU seconds of a round: one job arrives, one ends, one is assigned."""
        gc.collect()
        gc.disable()
        began = time.thread_time()
        for _ in range(times):
            self._turn = (self._turn + 1) % len(self._running)
            runs = self._running[self._turn]
            self._mirror.observe_job(self._new(self._arrived, runs.demand), self._now)
            self._arrived += 1
            ended = self._next(runs, phase=Phase.COMPLETED, reason=EndReason.COMPLETED, finished=EPOCH + 60)
            self._mirror.observe_job(ended, self._now)
            (assigned,) = self._mirror.decide(self._now)
            if not isinstance(assigned, Assign):
                raise BenchError(f"Expected an assignment, not {assigned}")
            self._running[self._turn] = self._carry_out(assigned)
        took = time.thread_time() - began
        gc.enable()
        return took / times

    def _new(self, number: int, demand: Demand) -> Job:
        job = _job(number, demand)
        return replace(job, initiator=f"user-{number % self._groups}") if self._groups else job

    def _carry_out(self, assigned: Assign) -> Job:
        """Observe the results of the assignment and of the acknowledgment that follows it."""
        daemon = assigned.daemon
        given = Assignment(daemon.name, daemon.uid, assigned.assignment_id, EPOCH)
        self._mirror.observe_job(self._next(assigned.job, assignment=given), self._now)
        self._mirror.settled(assigned, self._now)
        running = self._next(assigned.job, assignment=replace(given, instance="1"), phase=Phase.RUNNING, started=EPOCH)
        self._mirror.observe_job(running, self._now)
        return running

    def _next(self, job: Job, **changes: object) -> Job:
        self._version += 1
        return replace(job, resource_version=1_000_000 + self._version, **changes)  # type: ignore[arg-type]


def _tags(number: int) -> frozenset[tuple[str, str]]:
    return effective_tags({"lane": str(number)})


def _daemon(number: int) -> Daemon:
    return Daemon(
        namespace=NAMESPACE,
        name=f"daemon-{number}",
        uid=f"uid-of-daemon-{number}",
        resource_version=1,
        supply=Supply(NAMESPACE, frozenset({Provisioner.ECHO}), _tags(number)),
        offer=Offer(_tags(number), frozenset({Provisioner.ECHO}), capacity=1, lost_after=300, cancel_grace=180),
        lost_after=300,
        cancel_grace=180,
        state=DaemonState.IDLE,
        instance="1",
        heartbeat="2027-01-15T08:00:00Z",
        finalizers=(RUNS_FINALIZER,),
    )


def _job(number: int, demand: Demand) -> Job:
    return Job(
        namespace=NAMESPACE,
        name=f"job-{number}",
        uid=f"uid-of-job-{number}",
        resource_version=number + 1,
        generation=1,
        created=EPOCH,
        type=JobType.WORKSPACE_BUILD,
        demand=demand,
        workspace=f"workspace-{number}",
        pending_timeout=1800,
        active_deadline=3600,
    )

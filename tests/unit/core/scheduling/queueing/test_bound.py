"""No group waits longer than the bound that `bound` states, in fleets and arrivals of any kind."""

from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner_operator.core.model.records import Job
from provisioner_operator.core.scheduling.queueing.bound import (
    MeasuredFairness,
    debt_seconds,
    measure_fairness,
    round_seconds,
)
from provisioner_operator.core.scheduling.queueing.namespace_queue import NamespaceQueue
from provisioner_operator.core.scheduling.queueing.policy import NO_POLICY, Limit, PastRun, QueuePolicy, past_run
from provisioner_operator.core.scheduling.queueing.records import RUN_HALF_LIVES
from support.builders.core import NOON, a_demand, a_job, a_running_job
from support.builders.queues import a_past_run, a_policy, fair, people_jobs, policies

GROUPS = ("ann", "bob", "cleo", "dan", "eve")
SHORTEST, LONGEST = 30, 900


@dataclass
class Fleet:
    """Slots that run any job, in virtual time."""

    slots: int
    half_life: int
    weights: dict[str, int]
    now: float = NOON
    runs: list[tuple[float, float, str, str]] = field(default_factory=list)
    """End, start, uid and group of each run, as a heap."""
    waits: dict[str, tuple[float, float]] = field(default_factory=dict)
    """The groups that wait with nothing running: since when, and until when they may."""
    queue: NamespaceQueue = field(init=False)
    lengths: dict[str, int] = field(default_factory=dict)
    waiting: dict[str, list[str]] = field(default_factory=dict)
    longest_wait: float = 0
    started: dict[str, float] = field(default_factory=dict)
    """Times of starts by uid."""
    forgotten: frozenset[str] = frozenset()
    """Groups whose runs are deleted as soon as a history may."""
    past: list[tuple[float, str]] = field(default_factory=list)
    """End and uid of the runs of these groups, as they ended."""

    def __post_init__(self) -> None:
        self.queue = NamespaceQueue(a_policy(fairness=fair(self.weights, half_life=self.half_life)))
        self.queue.advance(self.now)

    def submit(self, job: Job, length: int) -> None:
        """Add a job that is going to run for so long."""
        self.lengths[job.uid] = length
        self.waiting.setdefault(job.initiator or "", []).append(job.uid)
        self.queue.put(job)

    def run_until(self, until: float) -> None:
        """Let runs end and jobs start until that time."""
        self.settle()
        while self.runs and self.runs[0][0] <= until:
            self.now, started, uid, group = heappop(self.runs)
            self.queue.advance(self.now)
            self.queue.free_slot(uid)
            self.queue.add_past_run(a_past_run(uid, started=started, finished=self.now, initiator=group))
            self.forget(uid, group)
            self.settle()
        self.now = until

    def forget(self, uid: str, group: str) -> None:
        """Delete the jobs that a history may delete, after this one has ended."""
        if group in self.forgotten:
            self.past.append((self.now, uid))
        while self.past and self.past[0][0] + RUN_HALF_LIVES * self.half_life <= self.now:
            self.queue.forget_past_run(self.past.pop(0)[1])

    def settle(self) -> None:
        """Begin the waits of groups that have nothing running, and fill the free slots."""
        for group, uids in self.waiting.items():
            if uids and group not in self.waits and not self.queue.slots.of_group(group):
                self.waits[group] = self.now, self.now + self.bound(group)
        while len(self.runs) < self.slots and (first := self.queue.first(a_demand())) is not None:
            job, group = first[1], first[1].initiator or ""
            self.queue.discard(job.uid)
            self.queue.take_slot(job)
            self.waiting[group].remove(job.uid)
            self.started[job.uid] = self.now
            heappush(self.runs, (self.now + self.lengths[job.uid], self.now, job.uid, group))
            if group in self.waits:
                since, until = self.waits.pop(group)
                self.longest_wait = max(self.longest_wait, self.now - since)
                assert self.now <= until + 1e-3, (
                    f"{group} waited for {self.now - since} s, and {until - since} s is the bound"
                )

    def bound(self, group: str) -> float:
        if self.queue.past is None:
            return inf  # nobody promised anything
        return round_seconds(LONGEST, len(GROUPS), self.slots) + debt_seconds(
            past_use=self.queue.past.decayed(group, self.now),
            weight=self.weights.get(group, 1),
            heaviest=max([1, *self.weights.values()]),
            shortest_run=SHORTEST,
            half_life=self.half_life,
        )


ARRIVALS = st.lists(
    st.tuples(
        st.sampled_from([0, 0, 0, 30, 300, 5000]),
        st.sampled_from(GROUPS),
        st.integers(SHORTEST, LONGEST),
        st.integers(1, 20),
    ),
    max_size=40,
)
"""Time after the last arrival, group, length of a run, and number of jobs."""


WEIGHTS = st.dictionaries(st.sampled_from(GROUPS), st.integers(1, 100), max_size=3)
Arrivals = list[tuple[int, str, int, int]]


@settings(max_examples=300, deadline=None)
@given(st.integers(1, 4), st.sampled_from([60, 3600, 86_400]), WEIGHTS, ARRIVALS)
def test_no_group_waits_longer_than_the_bound(
    slots: int, half_life: int, weights: dict[str, int], arrivals: Arrivals
) -> None:
    run_all(Fleet(slots, half_life, weights), arrivals)


@settings(max_examples=300, deadline=None)
@given(st.integers(1, 4), WEIGHTS, ARRIVALS, st.frozensets(st.sampled_from(GROUPS), min_size=1))
def test_the_bound_holds_with_a_history_if_a_round_is_shorter_than_it_keeps_a_run(
    slots: int, weights: dict[str, int], arrivals: Arrivals, forgotten: frozenset[str]
) -> None:
    half_life = round_seconds(LONGEST, len(GROUPS), slots) / RUN_HALF_LIVES + 1
    run_all(Fleet(slots, int(half_life), weights, forgotten=forgotten), arrivals)


def run_all(fleet: Fleet, arrivals: Arrivals) -> None:
    """Let all jobs arrive and end."""
    number, submitted = 0, NOON
    for after, group, length, count in arrivals:
        submitted += after
        fleet.run_until(submitted)
        for _ in range(count):
            number += 1
            # The created time in whole seconds, as the API server writes it.
            fleet.submit(a_job(f"job-{number}", initiator=group, created=int(submitted - NOON)), length)
    fleet.run_until(submitted + number * LONGEST + LONGEST)
    assert not any(fleet.waiting.values())


def test_the_bound_is_met_closely_by_a_group_that_used_nothing() -> None:
    """All others have begun the longest of runs just before, and each starts one more."""
    fleet = Fleet(1, 3600, {})
    for number, group in enumerate(GROUPS):
        fleet.submit(a_job(f"{group}-1", initiator=group, created=number), LONGEST)
    fleet.run_until(NOON + len(GROUPS) * LONGEST)
    assert fleet.longest_wait == (len(GROUPS) - 1) * LONGEST <= fleet.bound("nobody")


def waits_beside_a_hundred_jobs(policy: QueuePolicy) -> list[float]:
    """The waits of two people whose one job comes after a hundred of a third person's, on two slots; each runs a minute."""
    fleet = Fleet(2, 3600, {})
    fleet.queue = NamespaceQueue(policy)
    fleet.queue.advance(NOON)
    for number in range(100):
        fleet.submit(a_job(f"anns-{number}", initiator="ann"), 60)
    fleet.run_until(NOON + 30)
    for person in ("bob", "cleo"):
        fleet.submit(a_job(person, initiator=person, created=30), 60)
    fleet.run_until(NOON + 7200)
    return [fleet.started[f"uid-of-{person}"] - (NOON + 30) for person in ("bob", "cleo")]


def test_a_hundred_jobs_of_one_person_cost_the_others_half_a_run_and_not_fifty() -> None:
    assert waits_beside_a_hundred_jobs(NO_POLICY) == [49.5 * 60, 49.5 * 60]
    assert waits_beside_a_hundred_jobs(a_policy()) == [30, 30]


def test_a_debt_fades_with_the_half_life() -> None:
    debt = debt_seconds(past_use=1, weight=1, heaviest=1, shortest_run=3600, half_life=3600)
    assert debt == pytest.approx(3600)
    assert debt_seconds(past_use=0, weight=1, heaviest=9, shortest_run=1, half_life=60) == 0
    assert debt_seconds(past_use=1, weight=1, heaviest=1, shortest_run=0, half_life=60) == 0
    assert debt_seconds(past_use=0.1, weight=1, heaviest=1, shortest_run=3600, half_life=3600) == 0


def test_a_wait_counts_from_the_end_of_the_groups_last_run() -> None:
    queue = NamespaceQueue(a_policy(Limit("gpu", 0, template="gpu"), fairness=fair()))
    queue.advance(NOON)
    queue.put(a_job("anns", initiator="ann"))
    queue.put(a_job("old", initiator="bob", priority=-1))  # all above it go first
    queue.put(a_job("held", initiator="bob", template="gpu", priority=9))
    queue.take_slot(a_running_job("cleos", initiator="cleo"))
    queue.put(a_job("more", initiator="cleo"))
    queue.add_past_run(a_past_run(started=NOON + 10, finished=NOON + 20, initiator="ann"))
    found = measure_fairness(queue, NOON + 100)
    assert found.longest_wait == 80
    assert 0 < found.ratio < 1


def plain_fairness(
    policy: QueuePolicy, waiting: list[Job], running: list[Job], past: list[PastRun], now: float
) -> tuple[float, float]:
    """The longest wait and the largest share of its bound, by definition: with sums of everything."""
    assert policy.fairness is not None
    half_life, weight, group_of = policy.fairness.half_life, policy.fairness.weight_of, policy.group_of
    used = [key for job in running for key in policy.limits_of(job)]
    free = [job for job in waiting if all(used.count(key) < policy.most(key) for key in policy.limits_of(job))]
    first = min(((-job.priority, policy.is_background(job)) for job in free), default=None)
    next_ones = [job for job in free if (-job.priority, policy.is_background(job)) == first]
    competing = {group_of(job) for job in (*next_ones, *running)}
    lengths = [now - job.started for job in running if job.started] + [run.finished - run.started for run in past]
    found = [(0.0, 0.0)]
    for group in {group_of(job) for job in next_ones} - {group_of(job) for job in running}:
        since = min(job.created for job in next_ones if group_of(job) == group)
        ended = [run for run in past if group_of(run) == group]
        wait = now - max([since, *(run.finished for run in ended)])
        slots = max(1, len(running))
        bound = max(lengths, default=0) * -(-len(competing) // slots) + debt_seconds(
            past_use=sum(2 ** ((r.finished - now) / half_life) - 2 ** ((r.started - now) / half_life) for r in ended),
            weight=weight(group),
            heaviest=max(map(weight, competing)),
            shortest_run=min(lengths, default=0),
            half_life=half_life,
        )
        found.append((wait, wait / bound if bound > 0 else 0.0))
    return max(wait for wait, _ in found), max(ratio for _, ratio in found)


@settings(deadline=None)
@given(
    policies().filter(lambda policy: policy.fairness is not None),
    st.lists(people_jobs(), unique_by=lambda job: job.uid, max_size=13),
    st.integers(0, 4),
    st.lists(st.tuples(people_jobs(), st.integers(60, 9000), st.integers(1, 600)), max_size=4),
)
def test_the_measure_is_that_of_the_definition(
    policy: QueuePolicy, jobs: list[Job], slots: int, ended: list[tuple[Job, int, int]]
) -> None:
    now = NOON + 9000
    waiting = jobs[slots:]
    running = [replace(job, started=NOON + 600 * at) for at, job in enumerate(jobs[:slots], start=1)]
    runs = [
        replace(job, uid=f"past-{at}", started=now - ago - took, finished=now - ago)
        for at, (job, ago, took) in enumerate(ended)
    ]
    past = [run for run in map(past_run, runs) if run is not None]
    queue = NamespaceQueue(policy)
    queue.advance(now)
    for job in waiting:
        queue.put(job)
    for job in running:
        queue.take_slot(job)
    for run in past:
        queue.add_past_run(run)

    found = measure_fairness(queue, now)

    wait, ratio = plain_fairness(policy, waiting, running, past, now)
    assert found.longest_wait == wait
    assert found.ratio == pytest.approx(ratio, rel=1e-4)


def test_nothing_is_measured_where_nobody_shares_or_nobody_waits() -> None:
    assert measure_fairness(NamespaceQueue(a_policy(Limit("all", 1))), NOON) == MeasuredFairness()
    assert measure_fairness(NamespaceQueue(a_policy()), NOON) == MeasuredFairness()
    queue = NamespaceQueue(a_policy())
    queue.put(a_job())
    assert measure_fairness(queue, NOON + 5) == MeasuredFairness(5, 0)

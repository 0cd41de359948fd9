"""The queue of a namespace names the job that the plain definition of its policy does: sort all, skip what a limit holds."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from typing_extensions import override

from provisioner_operator.api.v1alpha1.enums import BackgroundWork, JobType, Transition
from provisioner_operator.core.model.matching import Demand
from provisioner_operator.core.model.records import Job
from provisioner_operator.core.scheduling.queueing.namespace_queue import NamespaceQueue
from provisioner_operator.core.scheduling.queueing.policy import NO_POLICY, Limit, PastRun, QueuePolicy, past_run
from provisioner_operator.core.scheduling.queueing.policy_queues import PolicyQueues
from support.builders.core import NAMESPACE, NOON, a_demand, a_job, an_ended_job
from support.builders.queues import (
    HALF_LIFE,
    START,
    TAGS,
    a_past_run,
    a_policy,
    fair,
    people_jobs,
    plain_first,
    policies,
)


def demand_of(tags: dict[str, str]) -> Demand:
    return a_job(tags=tags).demand


class AnyHistory(RuleBasedStateMachine):
    """Jobs come, start, end and are deleted, while the policy changes at any moment."""

    def __init__(self) -> None:
        super().__init__()
        self.queues = PolicyQueues()
        self.waiting: dict[str, Job] = {}
        self.running: dict[str, Job] = {}
        self.past: dict[str, PastRun] = {}
        self.policy = NO_POLICY

    @initialize(policy=policies())
    def begin(self, policy: QueuePolicy) -> None:
        self.set_policy(policy)

    @rule(policy=policies())
    def set_policy(self, policy: QueuePolicy) -> None:
        self.policy = policy
        self.queues.set_policy(NAMESPACE, policy, START + 60, list(self.running.values()))
        if policy.fairness is None:
            self.past.clear()  # nobody asks for it; whoever makes the namespace fair again lists the ended jobs anew

    @rule()
    def policy_is_deleted(self) -> None:
        self.policy = NO_POLICY
        self.queues.unset_policy(NAMESPACE, START + 60)
        self.past.clear()
        queue = self.queues.of(NAMESPACE)
        assert queue is None or not len(queue.slots)

    @rule(job=people_jobs())
    def arrives_or_changes(self, job: Job) -> None:
        if job.uid not in self.running and job.uid not in self.past:
            before = self._first_of(job.demand)
            self.waiting[job.uid] = job
            if not self.queues.put(job):
                assert self._first_of(job.demand) == before

    @rule(name=st.integers(0, 12))
    def leaves(self, name: int) -> None:
        job = self.waiting.pop(f"uid-of-job-{name}", None)
        before = None if job is None else self._first_of(job.demand)
        changed = self.queues.discard(f"uid-of-job-{name}")
        if job is not None and changed is None:
            assert self._first_of(job.demand) == before
        else:
            assert changed == (None if job is None else job.demand)

    def _first_of(self, demand: Demand) -> str | None:
        first = self.queues.first(demand)
        return None if first is None else first[1].uid

    @rule(tags=st.sampled_from(TAGS))
    def starts(self, tags: dict[str, str]) -> None:
        first = self.queues.first(demand_of(tags))
        if first is not None:
            job = first[1]
            self.queues.discard(job.uid)
            self.queues.take_slot(job)
            self.running[job.uid] = self.waiting.pop(job.uid)

    @rule(job=people_jobs())
    def is_found_running(self, job: Job) -> None:
        if job.uid not in self.waiting and job.uid not in self.past:
            self.running[job.uid] = job
            self.queues.take_slot(job)

    @rule(name=st.integers(0, 12), began=st.integers(-9, 0), took=st.integers(0, 3))
    def ends(self, name: int, began: int, took: int) -> None:
        job = self.running.pop(f"uid-of-job-{name}", None)
        if job is None:
            return
        self.queues.free_slot(job.uid)
        started = START + began * HALF_LIFE
        run = past_run(replace(job, started=started, finished=started + took * HALF_LIFE))
        assert run is not None
        self.queues.add_past_run(NAMESPACE, run)
        if self.policy.fairness is not None:
            self.past[job.uid] = run

    @rule(name=st.integers(0, 12))
    def is_deleted(self, name: int) -> None:
        self.past.pop(f"uid-of-job-{name}", None)
        self.queues.forget_past_run(f"uid-of-job-{name}")

    @invariant()
    def the_first_is_that_of_the_definition(self) -> None:
        for tags in TAGS:
            demand = demand_of(tags)
            waiting = [job for job in self.waiting.values() if job.demand == demand]
            expected = plain_first(self.policy, waiting, self.running.values(), self.past.values())
            first = self.queues.first(demand)
            assert (None if first is None else first[1]) == expected

    @invariant()
    def a_queue_that_is_built_anew_says_the_same(self) -> None:
        """A controller that starts knows only the objects."""
        new = PolicyQueues()
        new.set_policy(NAMESPACE, self.policy, START + 60)
        for job in self.waiting.values():
            new.put(job)
        for job in self.running.values():
            new.take_slot(job)
        for run in reversed(self.past.values()):
            new.add_past_run(NAMESPACE, run)
        for tags in TAGS:
            mine, its = self.queues.first(demand_of(tags)), new.first(demand_of(tags))
            assert mine == its

    @invariant()
    def nothing_is_lost(self) -> None:
        queue = self.queues.of(NAMESPACE)
        waiting = [] if queue is None else queue.waiting()
        assert {job.uid for job in waiting} == set(self.waiting)
        for job in self.waiting.values():
            assert job.uid in self.queues
        demands = {job.demand for job in self.waiting.values()}
        assert set([] if queue is None else queue.demands()) == demands
        assert [self.queues.has(demand_of(tags)) for tags in TAGS] == [demand_of(tags) in demands for tags in TAGS]

    @invariant()
    def as_many_count_as_waiting_as_could_run_at_once(self) -> None:
        """By taking the first of the jobs until a limit holds up all that are left, for one demand."""
        depths = self.queues.depths()
        for tags in TAGS:
            demand = demand_of(tags)
            assert depths.get(demand, 0) <= sum(job.demand == demand for job in self.waiting.values())
            if self.queues.first(demand) is None:
                assert demand not in depths

    @override
    def teardown(self) -> None:
        """Nothing is kept of jobs that are gone."""
        queue = self.queues.of(NAMESPACE)
        for uid in self.waiting:
            self.queues.discard(uid)
        for uid in self.running:
            self.queues.free_slot(uid)
        for uid in self.past:
            self.queues.forget_past_run(uid)
        for each in () if queue is None else (queue, queue.slots, queue.past):
            assert [name for name, value in attributes(each) if isinstance(value, dict) and value] == []
        self.queues.unset_policy(NAMESPACE, START)
        assert [name for name, value in attributes(self.queues) if isinstance(value, (dict, set)) and value] == []


def attributes(thing: object) -> Iterable[tuple[str, object]]:
    return [] if thing is None else vars(thing).items()


AnyHistory.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
test_any_history = AnyHistory.TestCase


def names(queue: NamespaceQueue, count: int, *, tags: dict[str, str] | None = None) -> list[str]:
    """The names of the jobs that start if there is a slot for each."""
    found: list[str] = []
    for _ in range(count):
        if (first := queue.first(demand_of(tags or {}))) is None:
            break
        queue.discard(first[1].uid)
        queue.take_slot(first[1])
        found.append(first[1].name)
    return found


def a_queue(policy: QueuePolicy, *jobs: Job) -> NamespaceQueue:
    queue = NamespaceQueue(policy)
    for job in jobs:
        queue.put(job)
    return queue


def jobs_of(initiator: str, count: int, **fields: Any) -> list[Job]:
    return [a_job(f"{initiator}-{number}", initiator=initiator, **fields) for number in range(count)]


def test_a_job_whose_priority_falls_makes_another_the_first() -> None:
    queue = NamespaceQueue()
    for job in (a_job("other"), a_job("urgent", created=1, priority=9)):
        assert queue.put(job)
    assert queue.put(a_job("urgent", created=1))
    first = queue.first(a_job().demand)
    assert first is not None
    assert first[1].name == "other"


def test_hundred_jobs_of_one_make_nobody_else_wait() -> None:
    queue = a_queue(a_policy(), *jobs_of("ann", 100), *jobs_of("bob", 2, created=5), *jobs_of("cleo", 1, created=9))
    assert names(queue, 6) == ["ann-0", "bob-0", "cleo-0", "ann-1", "bob-1", "ann-2"]


def test_a_weight_is_a_number_of_shares() -> None:
    queue = a_queue(a_policy(fairness=fair({"ann": 2})), *jobs_of("ann", 9), *jobs_of("bob", 9, created=1))
    started = names(queue, 6)
    assert [name.split("-")[0] for name in started].count("ann") == 4


def test_without_a_policy_priority_and_age_count_alone() -> None:
    queue = a_queue(NO_POLICY, *jobs_of("ann", 2), a_job("late", created=9, priority=1), a_job("old", created=-1))
    assert names(queue, 9) == ["late", "old", "ann-0", "ann-1"]


def test_who_has_used_the_least_lately_goes_first() -> None:
    queue = a_queue(a_policy(), *jobs_of("ann", 1), *jobs_of("bob", 1, created=5))
    queue.advance(NOON)
    queue.add_past_run(a_past_run("long ago", started=NOON - 9 * 3600, finished=NOON - 8 * 3600, initiator="bob"))
    queue.add_past_run(a_past_run("just now", started=NOON - 600, finished=NOON, initiator="ann"))
    assert names(queue, 2) == ["bob-0", "ann-0"]


def test_background_work_goes_after_people_whatever_its_share() -> None:
    policy = a_policy(background=frozenset({BackgroundWork.DRIFT}))
    drift = a_job("check", initiator="cleo", background_reason=BackgroundWork.DRIFT, created=-9)
    imported = a_job("import", background_reason=BackgroundWork.TEMPLATE_IMPORT, created=-8)
    assert names(a_queue(policy, *jobs_of("ann", 2), drift, imported), 9) == ["import", "ann-0", "ann-1", "check"]


def test_a_limit_lets_as_many_run_and_the_others_pass() -> None:
    heavy = Limit("heavy", 2, template="gpu")
    queue = a_queue(a_policy(heavy), *jobs_of("ann", 4, template="gpu"), *jobs_of("bob", 1, created=9))
    assert queue.depths() == {a_demand(): 3}
    assert names(queue, 9) == ["ann-0", "ann-1", "bob-0"]
    waiting = a_job("ann-2", initiator="ann", template="gpu")
    assert queue.limit_of(waiting) == ("heavy", "")
    assert [job.name for job in queue.slots.under(("heavy", ""))] == ["ann-0", "ann-1"]
    assert queue.depths() == {}
    queue.free_slot("uid-of-ann-0")
    assert queue.limit_of(waiting) is None
    assert names(queue, 9) == ["ann-2"]


def test_a_limit_holds_up_a_stop_or_a_delete_only_if_it_names_it() -> None:
    def job(transition: Transition, type_: JobType = JobType.WORKSPACE_BUILD) -> Job:
        return a_job(transition=transition, type=type_)

    assert [each for each in Transition if Limit("all", 1).concerns(job(each))] == [Transition.START]
    assert Limit("stops", 1, transition=Transition.STOP).concerns(job(Transition.STOP))
    # A plan frees nothing.
    assert Limit("all", 1).concerns(job(Transition.DELETE, JobType.WORKSPACE_PLAN))


def test_a_limit_per_person_is_one_for_each() -> None:
    each = Limit("each", 1, per=fair().by)
    queue = a_queue(a_policy(each, fairness=fair()), *jobs_of("ann", 3), *jobs_of("bob", 3, created=1))
    assert names(queue, 9) == ["ann-0", "bob-0"]


def test_a_policy_that_appears_counts_what_runs_already() -> None:
    queues = PolicyQueues()
    running = jobs_of("ann", 3)
    for job in running:
        queues.take_slot(job)
    assert queues.of(NAMESPACE) is None  # without a policy, nothing is counted
    for job in (*jobs_of("ann", 9), *jobs_of("bob", 3, created=9)):
        queues.put(replace(job, uid=f"waiting {job.uid}"))
    queues.set_policy(NAMESPACE, a_policy(), NOON, running)
    first = queues.first(a_demand())
    assert first is not None
    assert first[1].initiator == "bob"


def test_a_policy_that_changes_counts_what_ran_before() -> None:
    queues = PolicyQueues()
    queues.set_policy(NAMESPACE, a_policy(), NOON)
    queues.observe_end(an_ended_job(initiator="ann", started=-60, finished=0))
    queues.observe_end(a_job("never-ran", initiator="bob", finished=NOON))
    for job in (*jobs_of("ann", 1), *jobs_of("bob", 1, created=9)):
        queues.put(job)
    queues.set_policy(NAMESPACE, a_policy(fairness=fair(half_life=9999)), NOON)
    first = queues.first(a_demand())
    assert first is not None
    assert first[1].initiator == "bob"


def test_a_namespace_without_policy_and_jobs_is_forgotten() -> None:
    queues = PolicyQueues()
    job = a_job()
    queues.put(job)
    queues.discard(job.uid)
    queues.take_slot(job)
    queues.free_slot(job.uid)
    assert queues.of(NAMESPACE) is None
    assert queues.set_policy(NAMESPACE, NO_POLICY, NOON) == []
    assert queues.first(a_demand()) is None
    assert not queues.has(a_demand())
    queues.set_policy(NAMESPACE, a_policy(), NOON)
    assert [namespace for namespace, _ in queues.with_policy()] == [NAMESPACE]
    assert queues.forget_past_run("nobody's") == []
    assert queues.free_slot("nobody's") == []


def test_a_run_that_never_was_counts_nothing() -> None:
    assert past_run(a_job()) is None
    assert past_run(an_ended_job(finished=5)) is not None
    assert NamespaceQueue(NO_POLICY).forget_past_run("past") == []
    assert NamespaceQueue(NO_POLICY).advance(NOON) == []


@given(st.integers(1, 300))
def test_a_decision_moves_only_the_lanes_of_its_group(groups: int) -> None:
    queue = a_queue(
        a_policy(), *(a_job(f"{group}-{number}", initiator=f"g{group}") for group in range(groups) for number in (1, 2))
    )
    first = queue.first(a_demand())
    assert first is not None
    assert queue.take_slot(first[1]) == []
    assert queue.free_slot(first[1].uid) == []  # another group is first


def test_time_passes_for_each_namespace_on_its_own_scale() -> None:
    queues = PolicyQueues()
    queues.set_policy("slow", QueuePolicy(fair(half_life=86_400)), NOON)
    queues.set_policy("fast", QueuePolicy(fair(half_life=60)), NOON)
    for namespace in ("slow", "fast"):
        queues.add_past_run(namespace, a_past_run(f"{namespace}'s", started=NOON - 60, finished=NOON, initiator="ann"))
    queues.put(a_job(namespace="fast", initiator="ann"))
    assert queues.advance(NOON + 1) == []
    assert [demand.namespace for demand in queues.advance(NOON + 300 * 60)] == ["fast"]
    slow, fast = queues.of("slow"), queues.of("fast")
    assert slow is not None
    assert fast is not None
    assert slow.share_of("ann") > (0, 0)
    assert fast.share_of("ann") == (0, 0)

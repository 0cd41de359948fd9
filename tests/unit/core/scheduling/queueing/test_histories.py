"""The ended jobs that are deleted are those of the plain definition, whatever happens, and in whatever order it is observed."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from provisioner_operator.api.v1alpha1.enums import BackgroundWork, Phase
from provisioner_operator.core.jobs.decisions import Expire, RecordGeneration
from provisioner_operator.core.jobs.history import HistoryLimits
from provisioner_operator.core.jobs.lifecycle import TERMINAL
from provisioner_operator.core.model.records import Job
from provisioner_operator.core.reconcilers.jobs import HELD_SECONDS, JobReconciler
from provisioner_operator.core.scheduling.queueing.policy import QueuePolicy
from provisioner_operator.core.scheduling.queueing.records import RUN_HALF_LIVES, Queue
from support.builders.core import NAMESPACE, NOON, a_job, a_running_job, an_ended_job, at, later_version
from support.builders.histories import plain_dues
from support.builders.queues import fair

HALF_LIFE = 60
LONGEST_SECONDS = 400


def a_queue(
    history: HistoryLimits | None, *, version: int = 1, uid: str = "uid-of-queue", is_fair: bool = False
) -> Queue:
    policy = QueuePolicy(fair(half_life=HALF_LIFE) if is_fair else None)
    return Queue(NAMESPACE, "default", uid, version, version, policy, history=history)


def histories() -> st.SearchStrategy[HistoryLimits | None]:
    """Numbers that jobs of `AnyHistory` reach."""
    number = st.none() | st.integers(0, 3)
    return st.none() | st.builds(HistoryLimits, number, number, st.none() | st.integers(1, 2))


@st.composite
def ended_jobs(draw: st.DrawFn) -> Job:
    """A job of few names, which ended at one of few times."""
    ran = draw(st.booleans())
    finished = draw(st.integers(0, 4))
    job = a_job(
        f"job-{draw(st.integers(0, 9))}",
        phase=draw(st.sampled_from(sorted(TERMINAL))),
        workspace=draw(st.sampled_from([None, "dev", "ml"])),
        background_reason=draw(st.sampled_from([None, None, None, *BackgroundWork])),
        keeps_plan=draw(st.sampled_from([False, False, False, True])),
        ttl=draw(st.sampled_from([None, None, 5, LONGEST_SECONDS / 2])),
        started=NOON if ran else None,
        finished=NOON + finished,
    )
    return job if draw(st.integers(0, 9)) else replace(job, finished=None)


class AnyHistory(RuleBasedStateMachine):
    """Jobs end, are changed and deleted, and the policy changes, while the controller observes that late or starts anew."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 10.0
        self.version = 1
        self.queue: Queue | None = None
        self.ended: dict[str, Job] = {}
        self.deleted: set[str] = set()
        self.held: set[str] = set()
        self.jobs = JobReconciler(self.held.__contains__)

    @rule(job=ended_jobs(), was_known=st.booleans())
    def ends(self, job: Job, was_known: bool) -> None:  # noqa: FBT001 - a parameter of hypothesis
        if job.uid in self.ended or job.uid in self.deleted:
            return
        if was_known:
            self.jobs.observe_job(replace(job, phase=Phase.RUNNING, finished=None, resource_version=0), at(self.now))
        self.jobs.observe_job(job, at(self.now))
        self.ended[job.uid] = job

    @rule(number=st.integers(0, 9), ttl=st.sampled_from([None, 30]), deleting=st.sampled_from([False, False, True]))
    def is_changed(self, number: int, ttl: float | None, deleting: bool) -> None:  # noqa: FBT001 - a parameter of hypothesis
        if (job := self.ended.get(f"uid-of-job-{number}")) is not None:
            self.ended[job.uid] = changed = later_version(job, ttl=ttl, deleting=job.deleting or deleting)
            self.jobs.observe_job(changed, at(self.now))

    @rule(number=st.integers(0, 9))
    def is_deleted(self, number: int) -> None:
        uid = f"uid-of-job-{number}"
        self.ended.pop(uid, None)
        self.deleted.add(uid)
        self.jobs.job_deleted(uid, at(self.now))

    @rule(number=st.integers(0, 9))
    def its_workspace_has_not_recorded_the_end(self, number: int) -> None:
        self.held.add(f"uid-of-job-{number}")

    @rule(number=st.integers(0, 9))
    def its_workspace_has_recorded_the_end(self, number: int) -> None:
        self.held.discard(f"uid-of-job-{number}")

    @rule(history=histories(), is_fair=st.booleans(), is_new=st.booleans())
    def policy_changes(self, history: HistoryLimits | None, is_fair: bool, is_new: bool) -> None:  # noqa: FBT001 - parameters of hypothesis
        self.version += 1
        former = self.queue
        uid = former.uid if former is not None and not is_new else f"uid-of-queue-{self.version}"
        self.queue = a_queue(history, version=self.version, uid=uid, is_fair=is_fair)
        self.jobs.observe_queue(self.queue, at(self.now))
        if former is not None and former.uid != uid:
            self.jobs.queue_deleted(former.uid, at(self.now))
        self.list_if_asked()

    @rule()
    def policy_is_deleted(self) -> None:
        if self.queue is not None:
            self.jobs.queue_deleted(self.queue.uid, at(self.now))
            self.queue = None

    @rule()
    def controller_starts_anew(self) -> None:
        self.jobs = JobReconciler(self.held.__contains__)
        if self.queue is not None:
            self.jobs.observe_queue(self.queue, at(self.now))
        self.jobs.wants_ended_jobs = True
        self.list_if_asked()

    @rule()
    def ended_jobs_are_listed(self) -> None:
        self.jobs.wants_ended_jobs = True
        self.list_if_asked()

    def list_if_asked(self) -> None:
        """List the ended jobs as the controller does."""
        if not self.jobs.wants_ended_jobs:
            return
        self.jobs.wants_ended_jobs = False
        assert set(self.jobs.ended_uids()) <= set(self.ended)
        for job in reversed(self.ended.values()):
            self.jobs.observe_job(job, at(self.now))
            if self.jobs.needs_ended_jobs(NAMESPACE):
                self.jobs.observe_ended(job)

    @rule(passed=st.sampled_from([0.0, 3.0, 30.0, 90.0, float(LONGEST_SECONDS)]), are_refused=st.booleans())
    def time_passes(self, passed: float, are_refused: bool) -> None:  # noqa: FBT001 - a parameter of hypothesis
        # At least until a job that was held is looked at again.
        self.now += HELD_SECONDS + passed
        dues = plain_dues(self.queue, self.ended.values())
        is_due = {uid for uid, due in dues.items() if due <= at(self.now).wall}
        decisions = list(self.jobs.decide(at(self.now)))
        assert {each.job.uid for each in decisions if isinstance(each, Expire)} == is_due - self.held
        for each in decisions:
            if isinstance(each, Expire) and not are_refused:
                assert each.job.resource_version == self.ended.pop(each.job.uid).resource_version
                self.deleted.add(each.job.uid)
                self.jobs.job_deleted(each.job.uid, at(self.now))
            self.jobs.settled(each, at(self.now))

    @invariant()
    def the_loop_wakes_for_the_next_deletion(self) -> None:
        later = [due for due in plain_dues(self.queue, self.ended.values()).values() if due > at(self.now).wall]
        for each in list(self.jobs.decide(at(self.now))):
            self.jobs.settled(each, at(self.now))
        wake = self.jobs.next_wake()
        if later:
            assert wake is not None
            assert wake - at(0).monotonic <= min(later) - NOON + 0.001


AnyHistory.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
test_any_history = AnyHistory.TestCase


def expired(jobs: JobReconciler, now: float) -> list[str]:
    """The names of the jobs that are to be deleted now."""
    decisions = list(jobs.decide(at(now)))
    for each in decisions:
        jobs.settled(each, at(now))
    return [each.job.name for each in decisions if isinstance(each, Expire)]


def reconciler(*jobs: Job, history: HistoryLimits, is_fair: bool = False) -> JobReconciler:
    made = JobReconciler()
    made.observe_queue(a_queue(history, is_fair=is_fair), at(0))
    observe(made, jobs)
    return made


def observe(jobs: JobReconciler, ended: Iterable[Job]) -> None:
    for job in ended:
        jobs.observe_job(job, at(10))


def in_turn(prefix: str, count: int, **fields: Any) -> list[Job]:
    """Jobs that ended one after the other."""
    return [an_ended_job(f"{prefix}-{number}", finished=number, **fields) for number in range(count)]


def test_the_last_of_each_outcome_are_kept() -> None:
    jobs = reconciler(
        *in_turn("good", 3),
        *in_turn("bad", 2, phase=Phase.FAILED),
        *in_turn("stopped", 2, phase=Phase.CANCELED),
        history=HistoryLimits(completed=1, failed=3),
    )
    assert sorted(expired(jobs, 10)) == ["bad-0", "good-0", "good-1"]


def test_the_last_of_each_workspace_are_kept_however_they_ended() -> None:
    jobs = reconciler(
        *in_turn("dev", 2, workspace="dev"),
        an_ended_job("dev-2", workspace="dev", phase=Phase.FAILED, finished=2),
        *in_turn("ml", 2, workspace="ml"),
        *in_turn("import", 5),
        history=HistoryLimits(per_workspace=2),
    )
    assert expired(jobs, 10) == ["dev-0"]


@pytest.mark.parametrize(
    "exempt", [{"keeps_plan": True}, {"background_reason": BackgroundWork.DRIFT}], ids=["kept plan", "drift check"]
)
def test_a_kept_plan_and_a_check_for_drift_are_left_to_their_time_to_live(exempt: dict[str, Any]) -> None:
    jobs = reconciler(*in_turn("exempt", 3, ttl=60, **exempt), history=HistoryLimits(completed=0, per_workspace=1))
    assert expired(jobs, 10) == []
    assert expired(jobs, 60) == ["exempt-0"]


def test_a_job_that_is_made_a_check_for_drift_counts_no_more() -> None:
    first, second = in_turn("job", 2, ttl=600)
    jobs = reconciler(first, second, history=HistoryLimits(completed=1))
    jobs.observe_job(later_version(second, background_reason=BackgroundWork.DRIFT), at(10))
    assert expired(jobs, 10) == []


def test_a_job_that_is_being_deleted_does_not_push_another_out() -> None:
    first, second = in_turn("job", 2)
    jobs = reconciler(first, history=HistoryLimits(completed=1))
    jobs.observe_job(replace(second, deleting=True), at(10))
    assert expired(jobs, 10) == []


def test_where_groups_share_the_slots_a_run_is_kept_until_it_counts_little() -> None:
    never_ran = a_job("never-ran", phase=Phase.CANCELED, finished=NOON)
    jobs = reconciler(*in_turn("job", 2), never_ran, history=HistoryLimits(completed=1, failed=0), is_fair=True)
    patience = RUN_HALF_LIVES * HALF_LIFE
    assert expired(jobs, patience - 1) == ["never-ran"]
    assert jobs.next_wake() == at(patience).monotonic
    assert "job-0" in expired(jobs, patience)


def test_jobs_that_ended_before_the_policy_are_asked_for_and_count() -> None:
    jobs = JobReconciler()
    ended = in_turn("job", 3)
    observe(jobs, ended)
    assert not jobs.keeps_history(NAMESPACE)
    jobs.observe_queue(a_queue(HistoryLimits(completed=1)), at(10))
    assert jobs.keeps_history(NAMESPACE)
    assert jobs.wants_ended_jobs
    for job in ended:
        assert not jobs.observe_job(job, at(10))
        jobs.observe_ended(job)
    assert sorted(expired(jobs, 10)) == ["job-0", "job-1"]


def test_a_job_that_is_deleted_by_hand_leaves_room_for_another() -> None:
    jobs = reconciler(*in_turn("job", 2), history=HistoryLimits(completed=1))
    jobs.job_deleted("uid-of-job-1", at(10))
    assert expired(jobs, 10) == []


def test_a_smaller_number_deletes_what_the_former_one_kept() -> None:
    jobs = reconciler(*in_turn("job", 3), history=HistoryLimits(completed=3))
    assert expired(jobs, 10) == []
    jobs.observe_queue(a_queue(HistoryLimits(completed=1), version=2), at(10))
    assert sorted(expired(jobs, 10)) == ["job-0", "job-1"]


def test_an_old_version_of_a_job_that_a_list_shows_late_is_not_taken_for_the_job() -> None:
    jobs = JobReconciler()
    job = an_ended_job()
    jobs.observe_job(later_version(job), at(1))
    jobs.observe_queue(a_queue(HistoryLimits(completed=0)), at(2))
    jobs.observe_ended(job)
    assert expired(jobs, 10) == []
    jobs.observe_ended(later_version(job))
    assert expired(jobs, 10) == ["job"]


def test_without_its_history_a_namespace_forgets_the_jobs_that_need_no_write() -> None:
    jobs = reconciler(*in_turn("job", 2), *in_turn("mortal", 2, ttl=600), history=HistoryLimits(completed=9))
    lagging = an_ended_job("lagging", generation=2, observed_generation=1)
    jobs.observe_job(lagging, at(10))
    jobs.observe_queue(a_queue(None, version=2), at(10))
    assert set(jobs.ended_uids()) == {"uid-of-mortal-0", "uid-of-mortal-1", "uid-of-lagging"}
    assert [each.subject for each in jobs.decide(at(10)) if isinstance(each, RecordGeneration)] == [lagging.uid]


def test_a_running_job_is_never_deleted() -> None:
    jobs = reconciler(a_running_job(), *in_turn("job", 2), history=HistoryLimits(completed=0, failed=0))
    assert sorted(expired(jobs, 10)) == ["job-0", "job-1"]

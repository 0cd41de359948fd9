"""The job reconciler orders by the policy in force, explains limits, and reports on the queue seldom."""

from dataclasses import replace

import pytest

from provisioner_operator.api.v1alpha1.enums import PendingReason, Phase
from provisioner_operator.core.jobs.decisions import Assign, Explain
from provisioner_operator.core.model.backoff import Refusal
from provisioner_operator.core.reconcilers.decisions import JobReconcilerDecision
from provisioner_operator.core.reconcilers.explanations import LIMIT_LOOK_SECONDS
from provisioner_operator.core.reconcilers.jobs import JobReconciler
from provisioner_operator.core.scheduling.explanation_timing import PATIENCE_SECONDS
from provisioner_operator.core.scheduling.queueing.policy import Fairness, Limit, QueuePolicy
from provisioner_operator.core.scheduling.queueing.records import Queue
from provisioner_operator.core.scheduling.queueing.status import STATUS_SECONDS, UpdateQueueStatus
from support.builders.core import (
    NAMESPACE,
    a_daemon,
    a_job,
    a_running_job,
    an_ended_job,
    at,
    later_version,
    next_heartbeat,
)
from support.builders.observed_jobs import assigned_by
from support.builders.queues import BY_INITIATOR, a_policy, fair

ONE_EACH = a_policy(Limit("each", 1, per=BY_INITIATOR))
TOLD = PATIENCE_SECONDS + 2
"""Time at which a job is told of a limit that has held it from the begin."""


def a_queue(policy: QueuePolicy | None = None, *, version: int = 1, uid: str = "uid-of-queue") -> Queue:
    return Queue(NAMESPACE, "default", uid, version, version, policy or a_policy())


def of_kind(decisions: list[JobReconcilerDecision], kind: type) -> list[JobReconcilerDecision]:
    return [each for each in decisions if isinstance(each, kind)]


def settle(jobs: JobReconciler, decisions: list[JobReconcilerDecision], now: float) -> None:
    """Carry out what was decided."""
    for each in decisions:
        match each:
            case Assign():
                jobs.observe_job(assigned_by(each), at(now))
            case Explain():
                jobs.observe_job(later_version(each.job, reason=each.reason, message=each.message), at(now))
            case UpdateQueueStatus(queue, status):
                written = replace(queue, resource_version=queue.resource_version + 1, status=status)
                jobs.observe_queue(written, at(now))
            case _:
                pass
        jobs.accepted(each)
        jobs.settled(each, at(now))


def test_a_run_that_ended_makes_the_next_of_its_group_wait() -> None:
    jobs = JobReconciler()
    assert jobs.observe_queue(a_queue(), at(0))
    assert not jobs.observe_queue(a_queue(), at(0))
    assert jobs.wants_ended_jobs
    assert jobs.needs_ended_jobs(NAMESPACE)
    jobs.observe_daemon(a_daemon(), at(0))
    jobs.observe_job(an_ended_job("past", initiator="ann", finished=20), at(20))
    jobs.observe_job(a_job("anns", initiator="ann", created=20), at(20))
    jobs.observe_job(a_job("bobs", initiator="bob", created=21), at(21))
    (assign,) = of_kind(list(jobs.decide(at(21))), Assign)
    assert isinstance(assign, Assign)
    assert assign.job.name == "bobs"


def test_a_run_of_a_deleted_job_is_neither_kept_nor_counted_again() -> None:
    jobs = JobReconciler()
    jobs.observe_queue(a_queue(), at(60))
    past = an_ended_job("past", initiator="ann", finished=60)
    jobs.observe_ended(past)
    queue = jobs.policy_queues.of(NAMESPACE)
    assert queue is not None
    assert queue.share_of("ann") > queue.share_of("bob")
    jobs.job_deleted(past.uid, at(61))
    assert queue.share_of("ann") == queue.share_of("bob")
    jobs.observe_ended(past)  # a page of a list that was read before
    assert queue.share_of("ann") == queue.share_of("bob")
    assert not jobs.needs_ended_jobs("elsewhere")


def test_a_job_that_a_limit_holds_is_told_so_and_starts_once_the_limit_is_raised() -> None:
    jobs = JobReconciler()
    jobs.observe_queue(a_queue(ONE_EACH), at(0))
    jobs.observe_daemon(a_daemon(capacity=3), at(0))
    for name in ("first", "second"):
        jobs.observe_job(a_job(name, initiator="ann"), at(0))
    decisions = list(jobs.decide(at(0)))
    assert [each.job.name for each in decisions if isinstance(each, Assign)] == ["first"]
    settle(jobs, decisions, 0)
    first = jobs.job("uid-of-first")
    assert first is not None
    jobs.observe_job(later_version(first, phase=Phase.RUNNING, started=at(1).wall), at(1))

    decisions = list(jobs.decide(at(PATIENCE_SECONDS + 2)))
    (explain,) = of_kind(decisions, Explain)
    assert isinstance(explain, Explain)
    assert explain.reason is PendingReason.LIMIT_REACHED
    assert explain.message == (
        "Limit each of ProvisionerQueue default lets 1 such job run at a time for initiator ann. "
        "To unblock it: wait until one of them ends, or raise its maxRunning."
    )
    settle(jobs, decisions, PATIENCE_SECONDS + 2)
    assert not of_kind(list(jobs.decide(at(LIMIT_LOOK_SECONDS + 40))), Explain)

    jobs.observe_daemon(next_heartbeat(a_daemon(capacity=3)), at(200))
    jobs.observe_queue(a_queue(a_policy(Limit("each", 2, per=BY_INITIATOR)), version=9), at(200))
    decisions = list(jobs.decide(at(200)))
    assert [each.job.name for each in decisions if isinstance(each, Assign)] == ["second"]


def test_a_policy_that_appears_counts_what_runs_and_what_is_being_assigned() -> None:
    jobs = JobReconciler()
    jobs.observe_daemon(a_daemon(capacity=2), at(0))
    jobs.observe_job(a_running_job("runs", initiator="ann"), at(0))
    jobs.observe_job(a_job("is-assigned", initiator="bob"), at(0))
    list(jobs.decide(at(0)))
    jobs.observe_queue(a_queue(ONE_EACH), at(1))
    queue = jobs.policy_queues.of(NAMESPACE)
    assert queue is not None
    assert [queue.slots.room(("each", who)) for who in ("ann", "bob", "cleo")] == [0, 0, 1]
    jobs.queue_deleted("uid-of-queue", at(2))
    assert jobs.policy_queues.of(NAMESPACE) is None


def limited() -> JobReconciler:
    """A reconciler whose one daemon runs a job of bob, and where the second job of ann was told of the limit that held it before."""
    jobs = JobReconciler()
    jobs.observe_queue(a_queue(ONE_EACH), at(0))
    jobs.observe_daemon(a_daemon(), at(0))
    for name in ("first", "second"):
        jobs.observe_job(a_job(name, initiator="ann"), at(0))
    settle(jobs, list(jobs.decide(at(0))), 0)
    (explain,) = of_kind(list(jobs.decide(at(TOLD))), Explain)
    assert isinstance(explain, Explain)
    assert explain.reason is PendingReason.LIMIT_REACHED
    settle(jobs, [explain], TOLD)
    first = jobs.job("uid-of-first")
    assert first is not None
    jobs.observe_job(later_version(first, phase=Phase.COMPLETED, started=at(1).wall, finished=at(40).wall), at(40))
    jobs.observe_job(a_job("bobs", initiator="bob", priority=1, created=40), at(40))
    settle(jobs, list(jobs.decide(at(40))), 40)
    return jobs


def told(jobs: JobReconciler, now: float) -> list[PendingReason]:
    """The reasons that jobs are told now."""
    return [each.reason for each in jobs.decide(at(now)) if isinstance(each, Explain)]


def test_what_holds_a_job_after_a_limit_is_told_in_time() -> None:
    jobs = limited()
    jobs.observe_daemon(next_heartbeat(a_daemon()), at(TOLD + LIMIT_LOOK_SECONDS - 2))
    assert told(jobs, TOLD + LIMIT_LOOK_SECONDS - 1) == []
    assert told(jobs, TOLD + LIMIT_LOOK_SECONDS) == [PendingReason.DAEMONS_BUSY]


def test_a_change_of_the_policy_while_a_job_is_told_of_the_former_is_told_afterwards() -> None:
    jobs = JobReconciler()
    jobs.observe_queue(a_queue(ONE_EACH), at(0))
    jobs.observe_daemon(a_daemon(capacity=3), at(0))
    for name in ("first", "second"):
        jobs.observe_job(a_job(name, initiator="ann"), at(0))
    settle(jobs, list(jobs.decide(at(0))), 0)
    under_way = of_kind(list(jobs.decide(at(TOLD))), Explain)
    assert len(under_way) == 1

    jobs.observe_queue(a_queue(a_policy(Limit("none", 0)), version=9), at(TOLD + 1))
    assert told(jobs, TOLD + 5) == []
    settle(jobs, under_way, TOLD + 6)

    (explain,) = of_kind(list(jobs.decide(at(TOLD + 10))), Explain)
    assert isinstance(explain, Explain)
    assert explain.message.startswith("Limit none of ProvisionerQueue default")


def test_what_holds_a_job_after_a_change_of_the_policy_is_told_soon() -> None:
    jobs = limited()
    jobs.queue_deleted("uid-of-queue", at(41))
    jobs.observe_daemon(next_heartbeat(a_daemon()), at(42))
    decisions = list(jobs.decide(at(42)))
    assert [each.reason for each in decisions if isinstance(each, Explain)] == [PendingReason.DAEMONS_BUSY]
    settle(jobs, decisions, 42)

    jobs.observe_queue(a_queue(a_policy(Limit("none", 0)), uid="another"), at(43))
    assert told(jobs, 44) == [PendingReason.LIMIT_REACHED]


def test_a_limit_is_no_news_where_no_daemon_matches() -> None:
    jobs = JobReconciler()
    jobs.observe_queue(a_queue(a_policy(Limit("none", 0))), at(0))
    jobs.observe_job(a_job(), at(0))
    list(jobs.decide(at(0)))
    (explain,) = of_kind(list(jobs.decide(at(2))), Explain)
    assert isinstance(explain, Explain)
    assert explain.reason is PendingReason.NO_MATCHING_DAEMON


def test_a_policy_that_is_gone_holds_nothing_up() -> None:
    jobs = JobReconciler()
    jobs.observe_queue(a_queue(a_policy(Limit("none", 0))), at(0))
    jobs.observe_daemon(a_daemon(), at(0))
    jobs.observe_job(a_job(reason=PendingReason.LIMIT_REACHED), at(0))
    assert not of_kind(list(jobs.decide(at(0))), Assign)
    jobs.queue_deleted("uid-of-queue", at(1))
    jobs.queue_deleted("uid-of-nobody", at(1))
    assert len(of_kind(list(jobs.decide(at(1))), Assign)) == 1
    assert list(jobs.queues()) == []


def test_the_deletion_of_a_queue_that_was_replaced_changes_nothing() -> None:
    jobs = JobReconciler()
    jobs.observe_queue(a_queue(uid="former"), at(0))
    jobs.observe_queue(a_queue(ONE_EACH, version=2, uid="later"), at(0))
    jobs.queue_deleted("former", at(1))
    assert [queue.uid for queue in jobs.queues()] == ["later"]
    found = jobs.policy_queues.of(NAMESPACE)
    assert found is not None
    assert found.policy == ONE_EACH
    assert not jobs.observe_queue(a_queue(uid="former"), at(2))


def test_the_status_is_written_at_once_for_a_new_policy_and_then_seldom() -> None:
    jobs = JobReconciler()
    jobs.observe_queue(a_queue(ONE_EACH), at(0))
    jobs.observe_daemon(a_daemon(capacity=9), at(0))
    decisions = list(jobs.decide(at(0)))
    (update,) = of_kind(decisions, UpdateQueueStatus)
    assert isinstance(update, UpdateQueueStatus)
    assert update.display_name == "acme/default"
    assert update.regarding.kind == "ProvisionerQueue"
    assert update.patch().sets[0][0] == "/status"
    settle(jobs, decisions, 0)
    for number in range(5):
        jobs.observe_job(a_job(f"job-{number}", initiator="ann"), at(1 + number))
        decisions = list(jobs.decide(at(1 + number)))
        assert not of_kind(decisions, UpdateQueueStatus)
        settle(jobs, decisions, 1 + number)

    assert not of_kind(list(jobs.decide(at(STATUS_SECONDS - 0.5))), UpdateQueueStatus)
    decisions = list(jobs.decide(at(STATUS_SECONDS)))
    (update,) = of_kind(decisions, UpdateQueueStatus)
    assert isinstance(update, UpdateQueueStatus)
    assert (update.status.pending, update.status.running) == (4, 1)
    assert [(each.name, each.running, each.pending, each.share) for each in update.status.groups] == [("", 1, 4, 100)]
    assert [(each.name, each.running, each.blocked) for each in update.status.limits] == [("each", 1, 4)]
    settle(jobs, decisions, STATUS_SECONDS)

    # Nothing but time passes.
    assert not of_kind(list(jobs.decide(at(9 * STATUS_SECONDS))), UpdateQueueStatus)


def test_a_policy_that_says_nothing_is_in_force_too() -> None:
    jobs = JobReconciler()
    jobs.observe_queue(a_queue(QueuePolicy()), at(0))
    (update,) = jobs.decide(at(0))
    assert isinstance(update, UpdateQueueStatus)
    assert (update.status.pending, update.status.running, update.status.observed_generation) == (0, 0, 1)


def test_a_refused_status_is_reported_and_written_at_once_when_the_queue_changes() -> None:
    jobs = JobReconciler()
    jobs.observe_queue(a_queue(), at(0))
    (update,) = jobs.decide(at(0))
    assert jobs.refused(update, Refusal("Forbidden", "no"), at(0))
    jobs.settled(update, at(0))
    assert list(jobs.decide(at(0))) == []

    jobs.observe_queue(a_queue(version=2), at(0.5))
    assert len(of_kind(list(jobs.decide(at(0.5))), UpdateQueueStatus)) == 1


def test_another_policy_is_reported_at_once_however_soon_it_follows() -> None:
    jobs = JobReconciler()
    for version in (1, 5):
        jobs.observe_queue(a_queue(version=version), at(version))
        decisions = list(jobs.decide(at(version)))
        (update,) = of_kind(decisions, UpdateQueueStatus)
        assert isinstance(update, UpdateQueueStatus)
        assert update.status.observed_generation == version
        settle(jobs, decisions, version)
    assert not of_kind(list(jobs.decide(at(6))), UpdateQueueStatus)


def test_a_queue_is_looked_at_no_more_until_a_job_changes() -> None:
    jobs = JobReconciler()
    jobs.observe_queue(a_queue(), at(0))
    settle(jobs, list(jobs.decide(at(0))), 0)
    list(jobs.decide(at(STATUS_SECONDS)))
    assert jobs.next_wake() is None


def test_a_queue_that_can_be_parsed_again_is_reported_on() -> None:
    jobs = JobReconciler()
    jobs.park("uid-of-queue")
    jobs.observe_queue(a_queue(), at(0))
    assert len(of_kind(list(jobs.decide(at(0))), UpdateQueueStatus)) == 1


@pytest.mark.parametrize(
    ("former", "later", "wants"),
    [
        (None, fair(), True),
        (None, None, False),
        (fair(), None, False),
        (fair(half_life=60), fair({"ann": 2}, half_life=60), False),
        (fair(half_life=60), fair(half_life=120), True),
    ],
)
def test_ended_jobs_are_listed_when_runs_may_count_that_did_not(
    former: Fairness | None, later: Fairness | None, *, wants: bool
) -> None:
    jobs = JobReconciler()
    jobs.observe_queue(a_queue(QueuePolicy(former)), at(0))
    jobs.wants_ended_jobs = False
    jobs.observe_queue(a_queue(QueuePolicy(later), version=2), at(1))
    assert jobs.wants_ended_jobs is wants


@pytest.mark.parametrize("phase", [Phase.COMPLETED, Phase.CANCELED])
def test_a_slot_is_free_once_the_job_has_ended_or_lost_its_assignment(phase: Phase) -> None:
    jobs = JobReconciler()
    jobs.observe_queue(a_queue(ONE_EACH), at(0))
    running = a_running_job("first", initiator="ann")
    jobs.observe_job(running, at(0))
    queue = jobs.policy_queues.of(NAMESPACE)
    assert queue is not None
    assert queue.limit_of(a_job("second", initiator="ann")) == ("each", "ann")
    jobs.observe_job(later_version(running, phase=phase, finished=at(5).wall), at(5))
    assert queue.limit_of(a_job("second", initiator="ann")) is None


def test_a_policy_without_limits_has_no_job_explained_anew() -> None:
    jobs = JobReconciler()
    jobs.observe_job(a_job(), at(0))
    settle(jobs, list(jobs.decide(at(2))), 2)
    jobs.observe_queue(a_queue(), at(3))
    settle(jobs, list(jobs.decide(at(3))), 3)
    assert of_kind(list(jobs.decide(at(9))), Explain) == []


def test_a_policy_without_limits_explains_no_job_anew() -> None:
    jobs = JobReconciler()
    jobs.observe_job(a_job("lonely"), at(0))
    settle(jobs, list(jobs.decide(at(PATIENCE_SECONDS + 1))), PATIENCE_SECONDS + 1)
    assert list(jobs.decide(at(PATIENCE_SECONDS + 1))) == []
    lonely = jobs.job("uid-of-lonely")
    assert lonely is not None
    assert lonely.reason is PendingReason.NO_MATCHING_DAEMON

    jobs.observe_queue(a_queue(), at(PATIENCE_SECONDS + 2))

    queue = jobs.policy_queues.of(NAMESPACE)
    assert queue is not None
    assert [each.name for each in queue.waiting()] == ["lonely"]
    assert not of_kind(list(jobs.decide(at(PATIENCE_SECONDS + 3))), Explain)

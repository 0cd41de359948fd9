"""Reports of jobs, daemons and Pods that come late, out of order or twice, and what is kept of them."""

from dataclasses import replace

import pytest

from provisioner_operator.api.v1alpha1.enums import EndReason, Phase, Provisioner
from provisioner_operator.core.daemons.decisions import RegisterDaemon
from provisioner_operator.core.daemons.known_daemon import NOTICE_SECONDS
from provisioner_operator.core.jobs.decisions import Assign, CheckJob, Expire
from provisioner_operator.core.model.matching import Supply, effective_tags
from provisioner_operator.core.model.records import Daemon, DaemonPod, Job, Offer
from provisioner_operator.core.reconcilers.decisions import JobReconcilerDecision
from provisioner_operator.core.reconcilers.jobs import HELD_SECONDS, JobReconciler
from support.builders.core import (
    NAMESPACE,
    NOON,
    a_daemon,
    a_job,
    a_running_job,
    an_assignment,
    an_ended_job,
    at,
    later_version,
    next_heartbeat,
)

OFFER = Offer(frozenset(), frozenset({Provisioner.TERRAFORM}), capacity=1, lost_after=300, cancel_grace=180)
POD = DaemonPod(NAMESPACE, "daemon", "uid-of-pod", 2, OFFER, ready=True)
GPU = {"gpu": "1"}


def observing(*objects: Job | Daemon) -> JobReconciler:
    """A reconciler that has observed these."""
    jobs = JobReconciler()
    for each in objects:
        if isinstance(each, Job):
            jobs.observe_job(each, at(0))
        else:
            jobs.observe_daemon(each, at(0))
    return jobs


def decided(jobs: JobReconciler, now: float = 0) -> list[JobReconcilerDecision]:
    return list(jobs.decide(at(now)))


def settled_without_assignment(jobs: JobReconciler, now: float) -> bool:
    """Settle all decisions that are due; return whether no job was assigned."""
    decisions = decided(jobs, now)
    for each in decisions:
        jobs.settled(each, at(now))
    return not any(isinstance(each, Assign) for each in decisions)


def assigned(jobs: JobReconciler, now: float = 0) -> list[tuple[str, str]]:
    return [(each.job.name, each.daemon.name) for each in decided(jobs, now) if isinstance(each, Assign)]


def test_an_older_version_of_a_daemon_changes_nothing() -> None:
    jobs = observing(a_daemon(cordoned=True, resource_version=2), a_job())

    assert not jobs.observe_daemon(a_daemon(resource_version=1), at(0))

    assert assigned(jobs) == []


def test_a_daemon_that_changes_its_tags_gets_the_jobs_of_the_new_ones_only() -> None:
    daemon = a_daemon()
    jobs = observing(daemon, a_job("for-gpu", tags=GPU))
    assert assigned(jobs) == []

    supply = Supply(NAMESPACE, frozenset({Provisioner.TERRAFORM}), effective_tags(GPU))
    jobs.observe_daemon(replace(daemon, supply=supply, resource_version=2), at(0))
    jobs.observe_job(a_job("plain"), at(0))

    assert assigned(jobs) == [("for-gpu", "daemon")]


def test_an_older_version_of_a_pod_changes_nothing() -> None:
    jobs = observing()
    assert jobs.observe_pod(POD, at(0))

    assert not jobs.observe_pod(replace(POD, resource_version=1, deleting=True), at(0))

    assert decided(jobs) == [RegisterDaemon(POD)]


def test_the_pods_that_exist_are_listed_with_their_namespaces() -> None:
    jobs = observing()
    jobs.observe_pod(POD, at(0))
    assert jobs.pod_uids() == {"uid-of-pod": NAMESPACE}

    jobs.pod_deleted(POD.uid, NAMESPACE, None, at(1))

    assert jobs.pod_uids() == {}


def test_a_daemon_that_is_observed_before_its_pod_gets_jobs_once_the_pod_is_ready() -> None:
    jobs = observing(a_daemon(pod_uid=POD.uid, offer=OFFER), a_job())
    assert assigned(jobs) == []

    jobs.observe_pod(POD, at(1))

    assert assigned(jobs, 1) == [("job", "daemon")]


def test_the_deletion_of_an_unknown_daemon_does_not_hold_up_the_others() -> None:
    jobs = observing(a_daemon(), a_job())

    jobs.daemon_deleted("uid-of-stranger", at(0))

    assert assigned(jobs) == [("job", "daemon")]


def test_a_waiting_job_that_is_deleted_gives_its_turn_to_the_next_of_its_workspace() -> None:
    first, second = (a_job(name, workspace="dev") for name in ("dev-1", "dev-2"))
    jobs = observing(first, second)
    assert assigned(jobs) == []

    jobs.job_deleted(first.uid, at(0))
    jobs.observe_daemon(a_daemon(capacity=2), at(0))

    assert assigned(jobs) == [("dev-2", "daemon")]


def test_the_late_answer_to_a_write_does_not_revive_a_job_that_ended_meanwhile() -> None:
    jobs = observing(a_daemon(), job := a_job())
    assert assigned(jobs) == [("job", "daemon")]
    answer = later_version(job, assignment=an_assignment())
    over = later_version(answer, phase=Phase.FAILED, reason=EndReason.DAEMON_LOST, finished=NOON)
    jobs.observe_job(over, at(0))

    assert not jobs.observe_job(answer, at(0))

    assert jobs.job(job.uid) is None


def test_what_is_observed_late_of_a_deleted_object_does_not_bring_it_back() -> None:
    job, daemon, pod = a_job(), a_daemon("other"), replace(POD, deleting=True)
    jobs = observing(job, daemon)
    jobs.observe_pod(pod, at(0))
    jobs.job_deleted(job.uid, at(0))
    jobs.daemon_deleted(daemon.uid, at(0))
    jobs.pod_deleted(pod.uid, NAMESPACE, replace(pod, resource_version=4), at(0))

    assert not jobs.observe_job(replace(job, resource_version=9), at(0))
    assert not jobs.observe_daemon(replace(daemon, resource_version=9), at(0))
    assert not jobs.observe_pod(replace(pod, resource_version=3), at(0))

    assert jobs.uids() == (frozenset(), frozenset())
    assert jobs.pod_uids() == {}


def test_a_pod_whose_label_is_removed_and_set_again_is_a_daemon_again() -> None:
    jobs = observing()
    jobs.observe_pod(POD, at(0))
    jobs.pod_deleted(POD.uid, NAMESPACE, None, at(0))

    assert not jobs.observe_pod(POD, at(0))
    assert jobs.observe_pod(replace(POD, resource_version=POD.resource_version + 1), at(0))


def test_a_pod_that_was_never_observed_is_gone_for_good_once_it_is_missing() -> None:
    jobs = observing()
    jobs.pod_deleted(POD.uid, NAMESPACE, None, at(0))

    assert not jobs.observe_pod(replace(POD, resource_version=99), at(0))


def test_an_ended_job_whose_end_somebody_has_to_note_is_not_deleted_before() -> None:
    held = {"uid-of-job"}
    jobs = JobReconciler(held.__contains__)
    jobs.observe_job(an_ended_job(ttl=60), at(0))
    assert decided(jobs, 60) == []
    assert jobs.next_wake() == at(60 + HELD_SECONDS).monotonic

    held.clear()

    assert [type(each) for each in decided(jobs, 60 + HELD_SECONDS)] == [Expire]


def test_a_job_that_two_heartbeats_leave_out_but_not_in_a_row_is_not_read_again() -> None:
    running = a_running_job()
    daemon = a_daemon(runs=(running,))
    jobs = observing(daemon, running)
    for runs in ((), (running,), ()):
        daemon = next_heartbeat(daemon, runs=runs)
        jobs.observe_daemon(daemon, at(1))

    assert CheckJob(running) not in decided(jobs, 1)


def test_no_heartbeat_blocks_a_workspace_of_others() -> None:
    daemon, free = a_daemon("liar", capacity=3, tags=GPU), a_daemon("honest")
    jobs = observing(daemon, free)
    late = NOTICE_SECONDS + OFFER.cancel_grace
    jobs.observe_daemon(next_heartbeat(daemon, runs=(a_running_job("invented", workspace="dev"),)), at(late))
    jobs.observe_daemon(next_heartbeat(free), at(late))

    jobs.observe_job(a_job("wanted", workspace="dev", created=late), at(late))

    assert assigned(jobs, late) == [("wanted", "honest")]


def test_a_new_leader_believes_a_run_of_a_job_that_it_has_not_observed() -> None:
    unseen = a_running_job("deleted", workspace="dev")
    daemon, free = a_daemon("stopping", runs=(unseen,), tags=GPU), a_daemon("honest")
    jobs = observing(daemon, free, a_job("wanted", workspace="dev", pending_timeout=9000))
    late = NOTICE_SECONDS + OFFER.cancel_grace
    for seconds in (late - 1, late):
        daemon, free = next_heartbeat(daemon, runs=(unseen,)), next_heartbeat(free)
        jobs.observe_daemon(daemon, at(seconds))
        jobs.observe_daemon(free, at(seconds))

    jobs.leadership_gained(at(late))

    assert settled_without_assignment(jobs, late)
    jobs.observe_daemon(next_heartbeat(daemon), at(late + 1))
    assert assigned(jobs, late + 1) == [("wanted", "honest")]


@pytest.mark.parametrize("is_listed", [True, False])
def test_a_job_that_is_deleted_before_its_assignment_was_observed_keeps_its_workspace_while_it_runs(
    is_listed: bool,  # noqa: FBT001 - a parameter of pytest
) -> None:
    job, late = a_job("deleted", workspace="dev", pending_timeout=9000), NOTICE_SECONDS + OFFER.cancel_grace
    daemon, free = a_daemon("stopping", tags=GPU), a_daemon("honest", cordoned=True)
    jobs = observing(daemon, free, job, a_job("wanted", workspace="dev", pending_timeout=9000))
    daemon, listing = next_heartbeat(daemon), next_heartbeat(next_heartbeat(daemon), runs=(job,))
    jobs.observe_daemon(listing if is_listed else daemon, at(late))
    jobs.job_deleted(job.uid, at(late))
    jobs.observe_daemon(listing, at(late))

    jobs.observe_daemon(next_heartbeat(free, cordoned=False), at(late))

    assert settled_without_assignment(jobs, late)
    jobs.observe_daemon(next_heartbeat(listing), at(late + 1))
    assert assigned(jobs, late + 1) == [("wanted", "honest")]


@pytest.mark.parametrize(("lost_after", "notices"), [(60, NOTICE_SECONDS), (1000, 1000)])
def test_a_run_of_a_job_that_was_deleted_before_the_controller_started_blocks_until_it_must_be_over(
    lost_after: int, notices: float
) -> None:
    # As long as its spec says: the longer time that it reports could be a lie.
    offer = replace(OFFER, lost_after=lost_after)
    deleted = a_running_job("deleted", workspace="dev")
    daemon, free = a_daemon("stopping", runs=(deleted,), tags=GPU, offer=offer, lost_after=9000), a_daemon("honest")
    jobs = observing(daemon, free, a_job("wanted", workspace="dev", pending_timeout=9000))
    long_enough = notices + offer.cancel_grace

    for seconds in (0, long_enough - 1):
        daemon, free = next_heartbeat(daemon, runs=(deleted,)), next_heartbeat(free)
        jobs.observe_daemon(daemon, at(seconds))
        jobs.observe_daemon(free, at(seconds))
        assert settled_without_assignment(jobs, seconds)
    assert (jobs.next_wake() or 0) <= at(long_enough).monotonic

    assert assigned(jobs, long_enough) == [("wanted", "honest")]


def test_a_run_that_named_another_workspace_than_its_deleted_job_frees_both_in_the_end() -> None:
    job = a_job("deleted", workspace="dev")
    lying = a_daemon("lying", runs=(replace(job, workspace="other"),), tags=GPU)
    jobs = observing(lying, a_daemon("honest"), job)
    jobs.job_deleted(job.uid, at(0))
    jobs.observe_daemon(next_heartbeat(lying), at(1))

    jobs.observe_job(a_job("wanted", workspace="other"), at(1))

    assert assigned(jobs, 1) == [("wanted", "honest")]

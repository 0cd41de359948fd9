"""The time since which a job could be assigned: its creation, unless it was suspended or its workspace was busy."""

from dataclasses import replace

import pytest

from provisioner_operator.core.model.records import Job
from support.builders.core import NOON, a_daemon, a_job, a_running_job, at, later_version, next_heartbeat, tags
from support.builders.observed_jobs import ObservedJobs, ended

GPU = tags(gpu="yes")
"""Tags that no daemon has, so that nothing is assigned."""


def claimable(observed: ObservedJobs, job: Job) -> float:
    """Return the time in seconds after noon."""
    return observed.mirror.claimable_since(job) - NOON


def test_a_job_is_claimable_from_its_creation() -> None:
    job = a_job(created=-30, tags=GPU)
    observed = ObservedJobs(job)
    observed.decided(10)
    assert claimable(observed, job) == -30


def test_a_job_behind_another_of_its_workspace_is_claimable_from_that_ones_end() -> None:
    running, job = a_running_job("first", workspace="dev"), a_job("second", workspace="dev", tags=GPU)
    observed = ObservedJobs(running, job)
    observed.decided(10)
    observed.see(ended(running), now=40)
    observed.decided(41)
    observed.decided(50)
    assert claimable(observed, job) == 41


def test_a_job_behind_one_that_waits_is_claimable_once_that_one_is_gone() -> None:
    first, job = a_job("first", workspace="dev", tags=GPU), a_job("second", workspace="dev", tags=GPU, created=1)
    observed = ObservedJobs(first, job)
    observed.decided(10)
    assert claimable(observed, first) == 0
    observed.mirror.job_deleted(first.uid, at(20))
    observed.decided(20)
    assert claimable(observed, job) == 20


def test_a_suspended_job_is_claimable_from_its_resumption() -> None:
    job = a_job(suspend=True, tags=GPU, suspended_at=NOON)
    observed = ObservedJobs(job)
    observed.decided(10)
    requested = later_version(job, suspend=False)
    observed.see(requested, now=60)
    observed.decided(60)
    resumed = later_version(requested, suspended_at=None, suspended_seconds=60)
    observed.see(resumed, now=61)
    observed.settled(job.uid, 61)
    observed.decided(62)
    assert claimable(observed, resumed) == 62


def test_a_release_of_its_assignment_moves_nothing() -> None:
    job = a_job(tags=GPU)
    observed = ObservedJobs(a_daemon(tags=GPU), job)
    assert observed.assigned(5) == [("job", "daemon")]
    observed.settled(job.uid, 6)
    observed.decided(6)
    assert claimable(observed, job) == 0


def test_the_wait_for_the_reports_that_a_new_leader_awaits_counts() -> None:
    silent, job = a_daemon("hiding", tags=tags(other="yes")), a_job(workspace="dev", tags=GPU, pending_timeout=9000)
    observed = ObservedJobs(silent, job)
    observed.mirror.leadership_gained(at(0))
    observed.decided(0)
    observed.see(once := next_heartbeat(silent), now=5)
    observed.see(next_heartbeat(once), now=10)
    observed.decided(11)
    assert claimable(observed, job) == 0


@pytest.mark.parametrize("again", [False, True], ids=["led by another since", "not yet decided"])
def test_a_new_leader_counts_from_the_creation_what_it_did_not_see_held_back(again: bool) -> None:  # noqa: FBT001 - a column
    running, job = a_running_job("first", workspace="dev"), a_job("second", workspace="dev", tags=GPU)
    observed = ObservedJobs(running, job)
    if again:
        observed.decided(10)
    observed.see(ended(running), now=40)
    observed.mirror.leadership_gained(at(90))
    observed.decided(91)
    assert claimable(observed, job) == 0


def test_a_job_of_the_same_uid_that_is_gone_leaves_nothing() -> None:
    job = a_job(suspend=True, suspended_at=NOON)
    observed = ObservedJobs(job)
    observed.decided(10)
    observed.mirror.job_deleted(job.uid, at(20))
    assert claimable(observed, replace(job, suspend=False)) == 0

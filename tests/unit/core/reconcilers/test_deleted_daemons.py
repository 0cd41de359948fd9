"""Daemons that are deleted: a finalizer keeps their objects until nothing that they ran is left."""

from dataclasses import replace
from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import DaemonState, EndReason, Phase
from provisioner_operator.core.daemons.decisions import CheckDaemon, HoldDaemon, MarkOffline, ReleaseDaemon
from provisioner_operator.core.jobs.decisions import Explain
from provisioner_operator.core.model.backoff import Refusal
from support.builders.core import a_daemon, a_job, a_running_job, at, next_heartbeat
from support.builders.observed_jobs import ObservedJobs, ended


def test_a_daemon_gets_no_job_before_its_finalizer_is_there() -> None:
    daemon = a_daemon(finalizers=())
    observed = ObservedJobs(daemon, a_job())
    assert observed.decided(0) == [HoldDaemon(daemon)]
    observed.checked(replace(a_daemon(), resource_version=2), now=0)
    assert observed.assigned(0) == [("job", "daemon")]


@pytest.mark.parametrize("dead", [{"state": DaemonState.OFFLINE}, {"pod_uid": "gone"}])
def test_the_finalizer_is_added_to_no_daemon_that_can_get_no_job(dead: dict[str, Any]) -> None:
    assert ObservedJobs(a_daemon(finalizers=(), **dead)).decided(0) == []


def test_a_daemon_whose_finalizer_is_refused_is_marked_as_offline_nevertheless() -> None:
    daemon = a_daemon(finalizers=())
    observed = ObservedJobs(daemon)
    for seconds in (0, 40):
        (refused,) = observed.decided(seconds)
        observed.mirror.refused(refused, Refusal("Forbidden", "no right"), at(seconds))
        observed.checked(daemon, seconds)
    assert [type(each) for each in observed.decided(42)] == [MarkOffline]


def test_a_job_says_that_no_daemon_takes_it_while_the_finalizer_is_refused() -> None:
    daemon = a_daemon(finalizers=())
    observed = ObservedJobs(daemon, job := a_job())
    (hold,) = observed.decided(0)
    observed.mirror.refused(hold, Refusal("Forbidden", "no right"), at(0))
    observed.settled(daemon.uid)
    explained = [each for each in observed.decided(2) if isinstance(each, Explain)]
    assert [each.subject for each in explained] == [job.uid]


def test_a_deleted_daemon_that_has_shown_all_its_runs_goes_with_the_last_of_them() -> None:
    job = a_running_job()
    daemon = a_daemon(runs=(job,))
    observed = ObservedJobs(daemon, job)
    observed.see(daemon := replace(daemon, resource_version=2, deleting=True), now=1)
    for seconds in (2, 3):
        observed.see(daemon := next_heartbeat(daemon, runs=(job,)), now=seconds)
        assert observed.decided(seconds) == []
    observed.see(ended(job), now=4)
    assert observed.decided(4) == [ReleaseDaemon(daemon)]


def test_the_reports_before_its_deletion_do_not_count() -> None:
    observed = ObservedJobs(daemon := a_daemon())
    for seconds in (1, 2):
        observed.see(daemon := next_heartbeat(daemon), now=seconds)
    observed.see(daemon := next_heartbeat(daemon, deleting=True), now=3)
    assert observed.decided(3) == []
    observed.see(daemon := next_heartbeat(daemon), now=4)
    assert observed.decided(4) == []
    observed.see(daemon := next_heartbeat(daemon), now=5)
    assert observed.decided(5) == [ReleaseDaemon(daemon)]


def test_a_deleted_daemon_that_is_silent_goes_once_its_fence_has_ended_its_runs() -> None:
    daemon = a_daemon(deleting=True, lost_after=15, state=DaemonState.OFFLINE, runs=(a_running_job("unknown"),))
    observed = ObservedJobs(daemon)
    for seconds in (2, 15):
        assert observed.decided(seconds) == [CheckDaemon(daemon)]
        observed.checked(daemon, seconds)
    assert observed.decided(15) == [ReleaseDaemon(daemon)]


def test_a_deleted_daemon_that_was_lost_goes_after_its_jobs_have_failed() -> None:
    job = a_running_job()
    daemon = a_daemon(deleting=True, lost_after=15, state=DaemonState.OFFLINE, runs=(job,))
    observed = ObservedJobs(daemon, job)
    for seconds in (2, 15):
        observed.decided(seconds)
        observed.checked(daemon, seconds)
    assert [each.subject for each in observed.decided(15)] == [job.uid]
    observed.written(ended(job, Phase.FAILED), now=16)
    assert observed.decided(16) == [ReleaseDaemon(daemon)]


STOPPED = 300 + 180
"""Seconds in which a daemon notices that a job is gone, and stops its run."""


def test_a_deleted_daemon_goes_once_it_has_had_time_to_stop_the_runs_that_it_still_lists() -> None:
    invented, job = a_running_job("invented"), a_running_job()
    daemon = a_daemon(runs=(invented, job))
    observed = ObservedJobs(daemon, job)
    for seconds in (100, 200, 300):
        observed.see(daemon := next_heartbeat(daemon, runs=(invented, job), deleting=True), now=seconds)
        assert observed.decided(seconds) == []
    observed.see(ended(job, Phase.FAILED, EndReason.DEADLINE_EXCEEDED), now=310)  # whose run it lists on
    assert observed.decided(310) == []
    for seconds in (STOPPED, 310 + STOPPED - 1):
        observed.see(daemon := next_heartbeat(daemon, runs=(invented, job)), now=seconds)
        assert observed.decided(seconds) == []
    wake = observed.wake()
    assert wake is not None
    assert wake <= 310 + STOPPED
    assert observed.decided(310 + STOPPED) == [ReleaseDaemon(daemon)]


def test_a_deleted_daemon_without_the_finalizer_is_left_to_others() -> None:
    assert ObservedJobs(a_daemon(deleting=True, heartbeat=None, finalizers=("other",))).decided(0) == []

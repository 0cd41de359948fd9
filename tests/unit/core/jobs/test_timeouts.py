from dataclasses import replace
from typing import Any

import pytest

from provisioner_operator.core.jobs import timeouts
from support.builders.core import NOON, a_job, a_running_job, an_ended_job


def test_a_pending_job_is_overdue_its_timeout_after_its_creation() -> None:
    assert timeouts.pending_deadline(a_job(pending_timeout=60)) == NOON + 60


def test_suspended_time_does_not_count() -> None:
    assert timeouts.pending_deadline(a_job(pending_timeout=60, suspended_seconds=100)) == NOON + 160


@pytest.mark.parametrize("fields", [{"suspend": True}, {"suspended_at": NOON}])
def test_a_suspended_job_is_never_overdue(fields: dict[str, Any]) -> None:
    assert timeouts.pending_deadline(a_job(**fields)) is None


def test_the_active_deadline_counts_from_the_start() -> None:
    assert timeouts.active_deadline(a_running_job(started=10, active_deadline=100)) == NOON + 110
    assert timeouts.active_deadline(a_job()) is None


def test_an_ended_job_expires_only_if_it_was_asked_for() -> None:
    assert timeouts.expiry(an_ended_job(finished=5, ttl=0)) == NOON + 5
    assert timeouts.expiry(an_ended_job(finished=5)) is None
    assert timeouts.expiry(a_running_job(ttl=10)) is None


def test_a_run_stalls_only_if_it_was_asked_for() -> None:
    assert timeouts.stall_deadline(a_running_job(stall_timeout=30), 100.0) == 130.0
    assert timeouts.stall_deadline(a_running_job(), 100.0) is None


def test_five_minutes_are_split_as_documented() -> None:
    assert timeouts.heartbeat_interval(300) == 10
    assert timeouts.offline_after(300) == 40
    assert timeouts.idle_heartbeat_interval(300) == 60
    assert timeouts.offline_after(300, 60) == 90
    assert timeouts.interrupt_after(300) == 240
    assert timeouts.kill_after(300) == 285


def test_heartbeats_come_often_however_late_a_daemon_counts_as_lost() -> None:
    assert timeouts.heartbeat_interval(86_400) == 30


@pytest.mark.parametrize("lost_after", [10, 30, 300, 86_400])
def test_a_daemon_stops_its_runs_before_it_counts_as_lost(lost_after: float) -> None:
    moments = [
        timeouts.heartbeat_interval(lost_after),
        timeouts.offline_after(lost_after),
        timeouts.interrupt_after(lost_after),
        timeouts.kill_after(lost_after),
    ]
    assert moments == sorted(moments)
    assert moments[-1] < 0.97 * lost_after


def test_a_daemon_whose_clock_is_wrong_moves_no_deadline() -> None:
    job = a_running_job(active_deadline=100)
    assert timeouts.active_deadline(replace(job, started=NOON - 5000)) == NOON + 100
    assert timeouts.active_deadline(replace(job, started=NOON + 5000)) == NOON + timeouts.ACKNOWLEDGE_SECONDS + 100


def test_a_start_without_an_assignment_counts_as_it_is() -> None:
    job = replace(a_running_job(started=10, active_deadline=100), assignment=None)
    assert timeouts.active_deadline(job) == NOON + 110

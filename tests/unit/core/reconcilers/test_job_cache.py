"""Observations that the reconciler of jobs keeps, ignores or forgets."""

import pickle
import tracemalloc
from dataclasses import replace

import pytest

from provisioner_operator.api.v1alpha1.enums import DaemonState, EndReason, Phase
from provisioner_operator.core.jobs.decisions import Assign, CheckJob, Expire
from provisioner_operator.core.model import gone_objects
from provisioner_operator.core.model.records import UnreadableObject
from support.builders.core import (
    NAMESPACE,
    NOON,
    a_daemon,
    a_job,
    a_running_job,
    an_ended_job,
    at,
    later_version,
    next_heartbeat,
)
from support.builders.observed_jobs import ObservedJobs, ended


def test_an_older_version_that_comes_late_changes_nothing() -> None:
    job = a_job()
    observed = ObservedJobs(a_daemon())
    observed.see(ended(job))
    observed.see(job)
    assert observed.decided() == []
    assert observed.mirror.job(job.uid) is None


def test_heartbeats_alone_decide_nothing() -> None:
    job = a_running_job()
    daemon = a_daemon(runs=(job,))
    observed = ObservedJobs(daemon, job)
    for beat in range(1, 200):
        daemon = next_heartbeat(daemon, runs=(job,))
        observed.see(daemon, now=10 * beat)
        assert observed.decided(10 * beat) == []


def test_what_is_known_can_be_listed() -> None:
    observed = ObservedJobs(a_daemon(), a_daemon("off", state=DaemonState.OFFLINE), a_job(tags={"gpu": "1"}))
    observed.decided()
    assert [job.name for job in observed.mirror.jobs()] == ["job"]
    assert {daemon.name: online for daemon, online in observed.mirror.daemons()} == {"daemon": True, "off": False}
    assert observed.mirror.uids() == (frozenset({"uid-of-job"}), frozenset({"uid-of-daemon", "uid-of-off"}))
    assert [(demand.namespace, count) for demand, (count, _) in observed.mirror.queue_depths().items()] == [
        (NAMESPACE, 1)
    ]


def test_nothing_is_decided_about_an_object_that_was_set_aside_until_it_is_seen_again() -> None:
    job, daemon = a_job(pending_timeout=60), a_daemon()
    observed = ObservedJobs(daemon, job)
    observed.mirror.park(job.uid)
    assert observed.decided(0) == []
    observed.see(later_version(job), now=1)
    assert observed.assigned(1) == [("job", "daemon")]


def test_a_daemon_that_was_set_aside_gets_nothing_until_it_is_seen_again() -> None:
    daemon = a_daemon()
    observed = ObservedJobs(daemon)
    observed.decided()
    observed.mirror.observe_unreadable_daemon(UnreadableObject(NAMESPACE, daemon.name, daemon.uid, 2), at(0))
    observed.see(a_job())
    assert observed.assigned() == []
    observed.see(next_heartbeat(replace(daemon, resource_version=2)), now=1)
    assert observed.assigned(1) == [("job", "daemon")]


def test_a_started_job_that_its_daemon_leaves_out_twice_is_read_again() -> None:
    job, daemon = a_running_job(), a_daemon()
    observed = ObservedJobs(job, daemon)
    observed.see(once := next_heartbeat(daemon), now=1)
    assert CheckJob(job) not in observed.mirror.decide(at(1))
    observed.see(next_heartbeat(once), now=2)
    assert CheckJob(job) in observed.mirror.decide(at(2))


def test_nothing_is_decided_about_an_object_that_cannot_be_read() -> None:
    job = a_job(cancel=True)
    observed = ObservedJobs(job)
    observed.mirror.park(job.uid)
    assert list(observed.mirror.decide(at(1))) == []
    observed.see(later_version(job), now=2)
    assert len(list(observed.mirror.decide(at(2)))) == 1


def footprint(generations: int, *, leads: bool) -> int:
    """The size of a reconciler that has observed this many daemons come, run a job each, and go, as leader or standby."""
    observed = ObservedJobs()
    for number in range(generations):
        now = number * 1000.0
        daemon = a_daemon(f"daemon-{number:06}")
        job = a_running_job(f"job-{number:06}", daemon=daemon.name, ttl=60)
        over = later_version(job, phase=Phase.COMPLETED, reason=EndReason.COMPLETED, finished=NOON + now)
        observed.see(daemon, job, over, now=now)
        if leads:
            observed.decided(now)
        observed.mirror.job_deleted(job.uid, at(now))
        observed.mirror.daemon_deleted(daemon.uid, at(now))
        for later in (now + 10, now + 900):
            if leads:
                observed.decided(later)
            else:
                observed.mirror.tidy(at(later))
    return len(pickle.dumps(observed.mirror))


@pytest.mark.parametrize("leads", [True, False], ids=["leads", "stands by"])
def test_nothing_is_kept_of_what_is_over(leads: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001 - a parameter of pytest
    monkeypatch.setattr(gone_objects, "MOST_REMEMBERED", 100)
    assert footprint(800, leads=leads) < footprint(200, leads=leads) + 2000


def test_an_ended_job_with_a_time_to_live_costs_little_memory() -> None:
    jobs = 2000
    observed = ObservedJobs()
    tracemalloc.start()
    for number in range(jobs):
        observed.see(an_ended_job(f"job-{number:06}", ttl=604_800, message="x" * 200, resource_version=10_000 + number))
        observed.decided()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size / jobs < 800


def test_who_stood_by_knows_at_once_what_to_decide() -> None:
    daemon = a_daemon("idle")
    observed = ObservedJobs(daemon, a_job("waiting"), an_ended_job("expired", ttl=60, finished=-100))
    for seconds in range(0, 1500, 10):
        daemon = next_heartbeat(daemon)
        observed.see(daemon, now=seconds)
        if seconds % 600 == 0:
            observed.mirror.tidy(at(seconds))
    decisions = {type(decision) for decision in observed.decided(1500)}
    assert decisions == {Assign, Expire}

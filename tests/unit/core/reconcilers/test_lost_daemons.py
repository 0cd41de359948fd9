"""Daemons that miss heartbeats, restart or are deleted, and what becomes of their jobs."""

from dataclasses import replace

import pytest

from provisioner_operator.api.v1alpha1.enums import CancelReason, DaemonState, EndReason
from provisioner_operator.core.daemons.decisions import CheckDaemon, HoldDaemon, MarkOffline
from provisioner_operator.core.daemons.registry import BACK_OFF_SECONDS
from provisioner_operator.core.jobs.decisions import Cancel, Explain, Fail, Release
from provisioner_operator.core.jobs.timeouts import offline_after
from provisioner_operator.core.model.backoff import Refusal
from provisioner_operator.core.model.records import Daemon, UnreadableObject
from support.builders.core import (
    NAMESPACE,
    a_daemon,
    a_job,
    a_running_job,
    an_assigned_job,
    at,
    at_rest,
    later_version,
    next_heartbeat,
)
from support.builders.observed_jobs import ObservedJobs


def test_an_unacknowledged_assignment_goes_back_and_its_daemon_is_passed_over_for_a_while() -> None:
    job = an_assigned_job(assigned=0)
    daemon = a_daemon()
    observed = ObservedJobs(daemon, job)
    assert observed.decided(0) == []
    assert observed.wake() == 30
    (release,) = observed.decided(30)
    assert isinstance(release, Release)
    observed.written(later_version(job, assignment=None), now=30)
    observed.see(beat := next_heartbeat(daemon), now=31)
    assert observed.assigned(31) == []
    observed.see(next_heartbeat(beat), now=60)
    assert observed.assigned(30 + BACK_OFF_SECONDS) == [("job", "daemon")]


def test_being_passed_over_does_not_delay_the_judgment_of_missed_heartbeats() -> None:
    observed = ObservedJobs(a_daemon(lost_after=30), an_assigned_job(assigned=0), now=29)
    (release,) = observed.decided(30)
    assert isinstance(release, Release)
    observed.decided(30)
    assert observed.wake() == 29 + 4


def test_missed_heartbeats_are_confirmed_before_they_count() -> None:
    job = a_running_job()
    daemon = a_daemon(runs=(job,))
    observed = ObservedJobs(daemon, job)
    assert observed.decided(39) == []
    assert observed.decided(40) == [CheckDaemon(daemon)]
    assert observed.decided(41) == []
    observed.checked(daemon, 41)
    (offline,) = observed.decided(41)
    assert isinstance(offline, MarkOffline)
    silent = replace(daemon, resource_version=2, state=DaemonState.OFFLINE)
    observed.checked(silent, 42)
    assert observed.decided(299) == []
    assert observed.decided(300) == [CheckDaemon(silent)]
    observed.checked(silent, 301)
    (fail,) = observed.decided(301)
    assert isinstance(fail, Fail)
    assert fail.reason is EndReason.DAEMON_LOST


def test_a_slow_answer_to_a_check_does_not_make_a_daemon_lost() -> None:
    job = a_running_job()
    daemon = a_daemon(runs=(job,))
    observed = ObservedJobs(daemon, job)
    observed.decided(40)
    observed.checked(daemon, 400)
    assert {type(each) for each in observed.decided(400)} == {CheckDaemon}


def test_a_daemon_without_process_gets_nothing_and_what_it_did_not_begin_goes_elsewhere() -> None:
    daemon, other = a_daemon(), a_daemon("other")
    observed = ObservedJobs(daemon, an_assigned_job(assigned=39))
    observed.decided(40)
    observed.checked(daemon, 40)
    decided = observed.decided(40)
    assert {type(each) for each in decided} == {Release, MarkOffline}
    observed.written(a_job(resource_version=2), now=41)
    observed.see(other, now=41)
    assert observed.assigned(41) == [("job", "other")]


def test_after_an_outage_nobody_is_lost_at_once() -> None:
    job = a_running_job()
    daemon = a_daemon(runs=(job,))
    observed = ObservedJobs(daemon, job)
    (check,) = observed.decided(1000)
    assert check == CheckDaemon(daemon)
    observed.mirror.contact_regained(at(20).monotonic, at(1001))
    observed.checked(daemon, 1001)
    assert observed.decided(1001) == []


def test_a_failed_request_now_and_then_saves_no_silent_daemon() -> None:
    job = a_running_job()
    daemon = a_daemon(runs=(job,))
    observed = ObservedJobs(daemon, job)
    for second in range(50, 350, 100):
        observed.mirror.contact_regained(at(second).monotonic, at(second + 0.1))
    observed.decided(301)
    observed.checked(daemon, 301)
    (fail,) = [each for each in observed.decided(301) if isinstance(each, Fail)]
    assert fail.reason is EndReason.DAEMON_LOST


def test_a_new_process_of_a_daemon_means_that_the_former_ones_runs_are_lost_at_once() -> None:
    job = a_running_job()
    daemon = a_daemon(runs=(job,))
    observed = ObservedJobs(daemon, job)
    observed.see(next_heartbeat(daemon, instance="another process"), now=5)
    (fail,) = observed.decided(5)
    assert isinstance(fail, Fail)
    assert fail.reason is EndReason.DAEMON_LOST


def test_news_of_a_job_that_overtake_those_of_its_daemons_new_process_lose_nothing() -> None:
    daemon = a_daemon()
    job = a_running_job(instance="new process")
    observed = ObservedJobs(daemon, job)
    assert observed.decided(1) == [CheckDaemon(daemon)]
    observed.checked(next_heartbeat(daemon, runs=(job,), instance="new process"), 1)
    assert observed.decided(1) == []


def test_after_a_restart_a_job_of_a_former_process_is_lost_once_a_fresh_read_shows_it() -> None:
    daemon = a_daemon(instance="new process")
    job = a_running_job(instance="former process")
    observed = ObservedJobs(daemon, job)
    assert observed.decided(1) == [CheckDaemon(daemon)]
    observed.checked(daemon, 1)
    (fail,) = observed.decided(1)
    assert isinstance(fail, Fail)


def test_a_canceled_job_of_a_lost_daemon_becomes_canceled_with_one_write() -> None:
    daemon = a_daemon()
    job = a_running_job(cancel=True)
    observed = ObservedJobs(daemon, job)
    observed.see(next_heartbeat(daemon, instance="another process"), now=5)
    (cancel,) = observed.decided(5)
    assert isinstance(cancel, Cancel)
    assert cancel.reason is CancelReason.DAEMON_GONE


def test_the_job_of_a_deleted_daemon_is_lost_when_its_fence_has_stopped_it() -> None:
    observed = ObservedJobs(a_daemon(), a_running_job())
    observed.decided()
    observed.mirror.daemon_deleted("uid-of-daemon", at(10))
    assert observed.decided(309) == []
    (fail,) = observed.decided(310)
    assert isinstance(fail, Fail)
    assert observed.wake() is None or observed.wake() > 310  # type: ignore[operator]


def test_the_job_of_a_deleted_daemon_that_could_not_be_failed_in_an_outage_is_after_it() -> None:
    observed = ObservedJobs(a_daemon(), a_running_job())
    observed.decided()
    observed.mirror.daemon_deleted("uid-of-daemon", at(10))
    assert isinstance(observed.decided(310)[0], Fail)
    observed.mirror.contact_regained(at(305).monotonic, at(320))
    observed.settled("uid-of-job", 320)  # the write never arrived
    assert observed.decided(320) == []
    assert observed.wake() == 325
    (fail,) = observed.decided(325)
    assert isinstance(fail, Fail)


def test_the_job_of_a_daemon_that_could_not_be_parsed_and_was_then_deleted_is_lost_in_the_end() -> None:
    observed = ObservedJobs(a_daemon(), a_running_job())
    observed.mirror.observe_unreadable_daemon(UNREADABLE, at(0))
    observed.mirror.daemon_deleted("uid-of-daemon", at(10))
    assert observed.decided(10) == []
    assert observed.wake() == 310
    (decision,) = observed.decided(310)
    assert isinstance(decision, Fail)
    assert decision.reason == EndReason.DAEMON_LOST


def test_a_refused_write_about_a_daemon_does_not_put_off_the_loss_of_its_jobs_once_it_is_deleted() -> None:
    observed = ObservedJobs(a_daemon(), a_running_job())
    for time in (40, 41, 43, 47, 55, 71, 103):
        observed.decided(time)
        check = CheckDaemon(a_daemon())
        observed.mirror.refused(check, Refusal("Forbidden", "no"), at(time))
        observed.mirror.settled(check, at(time))
        observed.under_way.clear()
    observed.mirror.daemon_deleted("uid-of-daemon", at(104))
    observed.decided(104)
    assert observed.wake() == 404


UNREADABLE = UnreadableObject(NAMESPACE, "daemon", "uid-of-daemon", 5)
LONG_AFTER = 100_000.0


@pytest.mark.parametrize("before", [(), (a_daemon(),)], ids=["never parsed", "parsed before"])
def test_the_job_of_a_daemon_that_cannot_be_parsed_is_left_alone_whatever_changes(before: tuple[Daemon, ...]) -> None:
    job = a_running_job(active_deadline=60)
    observed = ObservedJobs(job, *before)
    observed.mirror.observe_unreadable_daemon(UNREADABLE, at(0))
    for version, now in ((2, 10.0), (3, LONG_AFTER)):
        observed.see(replace(job, resource_version=version, priority=version), now=now)
        assert observed.decided(now) == []
    assert observed.mirror.uids()[1] == {"uid-of-daemon"}
    assert list(observed.mirror.unreadable_daemons()) == [UNREADABLE]


def test_a_daemon_that_cannot_be_parsed_is_judged_again_once_it_can_be() -> None:
    job = a_running_job(active_deadline=60)
    observed = ObservedJobs(job, a_daemon())
    observed.mirror.observe_unreadable_daemon(UNREADABLE, at(0))
    assert observed.decided(90) == []
    observed.see(a_daemon(resource_version=6), now=90)
    assert [type(each) for each in observed.decided(90) if each.subject == job.uid] == [Fail]
    assert list(observed.mirror.unreadable_daemons()) == []


def test_a_daemon_that_cannot_be_parsed_and_is_deleted_is_lost_after_its_time() -> None:
    observed = ObservedJobs(job := a_running_job())
    observed.mirror.observe_unreadable_daemon(UNREADABLE, at(0))
    assert observed.decided(0) == []
    observed.mirror.tidy(at(0))
    observed.mirror.daemon_deleted("uid-of-daemon", at(10))
    observed.mirror.observe_unreadable_daemon(UNREADABLE, at(11))  # an answer that comes late
    assert observed.decided(300) == []
    assert [type(each) for each in observed.decided(311) if each.subject == job.uid] == [Fail]


def test_a_daemon_that_cannot_be_parsed_counts_as_none_that_is_free() -> None:
    observed = ObservedJobs(a_daemon(), job := a_job())
    observed.mirror.observe_unreadable_daemon(UNREADABLE, at(0))
    (explain,) = observed.decided(1)
    assert explain.subject == job.uid
    assert isinstance(explain, Explain)


def test_of_a_daemon_only_what_is_later_counts_whether_it_can_be_parsed_or_not() -> None:
    known = a_daemon(resource_version=11)
    observed = ObservedJobs(known)
    observed.mirror.observe_unreadable_daemon(UnreadableObject(NAMESPACE, known.name, known.uid, 10), at(0))
    assert list(observed.mirror.unreadable_daemons()) == []

    later = UnreadableObject(NAMESPACE, known.name, known.uid, 13)
    observed.mirror.observe_unreadable_daemon(later, at(0))
    assert not observed.mirror.observe_daemon(replace(known, resource_version=12), at(0))
    assert list(observed.mirror.unreadable_daemons()) == [later]


def test_a_heartbeat_does_not_end_the_pause_after_a_refused_write_but_a_change_of_the_daemon_does() -> None:
    daemon = a_daemon(finalizers=())
    observed = ObservedJobs(daemon)
    (hold,) = observed.decided(0)
    observed.mirror.refused(hold, Refusal("Forbidden", "no right"), at(0))
    observed.settled(daemon.uid)
    observed.see(beat := next_heartbeat(daemon), now=0.5)
    assert observed.decided(0.5) == []
    observed.see(changed := replace(beat, resource_version=9, cordoned=True), now=0.6)
    assert observed.decided(0.6) == [HoldDaemon(changed)]


def test_a_daemon_at_rest_gets_a_job_though_its_last_heartbeat_is_old() -> None:
    observed = ObservedJobs(at_rest(a_daemon()))
    assert observed.decided(80) == []
    observed.see(a_job(created=80), now=80)
    assert observed.assigned(80) == [("job", "daemon")]


def test_a_job_of_a_daemon_that_died_at_rest_goes_to_another_one_as_soon_as_of_any_other() -> None:
    dead = at_rest(a_daemon("dead"))
    observed = ObservedJobs(dead)
    observed.see(at_rest(a_daemon("other")), assigned := an_assigned_job(daemon="dead", assigned=20), now=20)
    assert observed.decided(20) == []
    assert observed.decided(49) == []
    (release,) = observed.decided(50)
    assert isinstance(release, Release)
    observed.written(later_version(assigned, assignment=None), now=50)
    assert observed.assigned(50) == [("job", "other")]
    # Of the dead one, no job is risked again: its time ends with that of an assigned job, not with what it announced.
    assert observed.decided(60) == [CheckDaemon(dead)]
    observed.checked(dead, 60)
    assert [type(each) for each in observed.decided(60)] == [MarkOffline]


def test_a_daemon_that_the_watch_shows_without_another_heartbeat_is_read_before_it_counts_as_offline() -> None:
    daemon = a_daemon()
    observed = ObservedJobs(daemon)
    late = offline_after(daemon.lost_after)
    assert observed.decided(late) == [CheckDaemon(daemon)]

    labeled = replace(daemon, resource_version=2)
    observed.mirror.observe_daemon(labeled, at(late))
    observed.settled(daemon.uid, late)

    assert observed.decided(late) == [CheckDaemon(labeled)]

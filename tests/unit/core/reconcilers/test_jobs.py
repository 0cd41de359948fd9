"""Scenes: what is observed, what is then decided. The simulation tells the long stories."""

import pickle
from dataclasses import replace

import pytest

from provisioner_operator.api.v1alpha1.enums import CancelReason, DaemonState, EndReason, PendingReason, Phase
from provisioner_operator.core.daemons.decisions import CheckDaemon, MarkOffline
from provisioner_operator.core.daemons.registry import BACK_OFF_SECONDS
from provisioner_operator.core.jobs.decisions import (
    Assign,
    BeginCancel,
    CheckJob,
    Expire,
    Explain,
    Fail,
    Release,
    Suspend,
)
from provisioner_operator.core.model.backoff import Refusal
from provisioner_operator.core.model.records import Daemon, Job
from provisioner_operator.core.reconcilers.decisions import JobReconcilerDecision
from provisioner_operator.core.reconcilers.jobs import JobReconciler
from support.builders.core import (
    NAMESPACE,
    NOON,
    a_daemon,
    a_job,
    a_running_job,
    an_assigned_job,
    an_assignment,
    an_ended_job,
    at,
    later_version,
    next_heartbeat,
)


class Scene:
    """A mirror, told about objects by whoever plays the API server."""

    def __init__(self, *objects: Job | Daemon, now: float = 0) -> None:
        self.mirror = JobReconciler()
        self.under_way: dict[str, JobReconcilerDecision] = {}
        self.see(*objects, now=now)

    def see(self, *objects: Job | Daemon, now: float = 0, fresh: bool = False) -> None:
        for each in objects:
            if isinstance(each, Job):
                self.mirror.observe_job(each, at(now))
            else:
                self.mirror.observe_daemon(each, at(now), fresh=fresh)

    def decided(self, now: float = 0) -> list[JobReconcilerDecision]:
        decisions = list(self.mirror.decide(at(now)))
        self.under_way.update({each.subject: each for each in decisions})
        return decisions

    def assigned(self, now: float = 0) -> list[tuple[str, str]]:
        return [(each.job.name, each.daemon.name) for each in self.decided(now) if isinstance(each, Assign)]

    def written(self, job: Job, now: float = 0) -> None:
        """The write of the decision about the job succeeded, and this is its answer."""
        self.see(job, now=now)
        self.settled(job.uid, now)

    def checked(self, daemon: Daemon, now: float) -> None:
        """The fresh read that was decided on found the daemon so."""
        self.see(daemon, now=now, fresh=True)
        self.settled(daemon.uid, now)

    def settled(self, uid: str, now: float = 0) -> None:
        """The decision about the object was carried out, or came to nothing."""
        self.mirror.settled(self.under_way.pop(uid), at(now))

    def wake(self) -> float | None:
        """When it wants to be woken, in seconds after noon."""
        due = self.mirror.next_wake()
        return None if due is None else due - at(0).monotonic


def assigned_by(decision: JobReconcilerDecision) -> Job:
    """The job as the write of an Assign leaves it."""
    assert isinstance(decision, Assign)
    given = an_assignment(decision.daemon.name)
    return later_version(decision.job, assignment=replace(given, id=decision.assignment_id))


def ended(job: Job, phase: Phase = Phase.COMPLETED, reason: str = EndReason.COMPLETED) -> Job:
    return later_version(job, phase=phase, reason=reason, finished=NOON)


def test_a_job_goes_to_an_idle_daemon_once() -> None:
    scene = Scene(a_daemon(), a_job())
    assert scene.assigned() == [("job", "daemon")]
    assert scene.decided() == []


def test_while_an_assignment_is_under_way_its_slot_is_taken() -> None:
    scene = Scene(a_daemon(), a_job("first"), a_job("second", created=1))
    assert scene.assigned() == [("first", "daemon")]
    assert scene.assigned() == []


def test_an_assignment_that_failed_is_made_again() -> None:
    scene = Scene(a_daemon(), a_job())
    scene.decided()
    scene.settled("uid-of-job", 0)
    assert scene.assigned() == [("job", "daemon")]


def test_when_a_job_ends_the_next_takes_its_slot() -> None:
    running = a_running_job("first")
    scene = Scene(a_daemon(runs=(running,)), running, a_job("second"))
    assert scene.assigned() == []
    scene.see(ended(running))
    assert scene.assigned() == [("second", "daemon")]


def test_an_older_version_that_comes_late_changes_nothing() -> None:
    job = a_job()
    scene = Scene(a_daemon())
    scene.see(ended(job))
    scene.see(job)
    assert scene.decided() == []
    assert scene.mirror.job(job.uid) is None


def test_one_job_of_a_workspace_runs_at_a_time_in_order_of_creation() -> None:
    first, second = (a_job(name, workspace="dev") for name in ("dev-1", "dev-2"))
    scene = Scene(a_daemon(capacity=5), replace(second, priority=9), first)
    (assign,) = scene.decided()
    assert assign == Assign(first, a_daemon(capacity=5))
    running = assigned_by(assign)
    scene.written(running)
    assert scene.assigned() == []
    scene.see(ended(running, Phase.FAILED))
    assert scene.assigned() == [("dev-2", "daemon")]


def test_a_suspended_job_holds_up_nobody_and_has_its_place_back_when_it_resumes() -> None:
    held = a_job("dev-1", workspace="dev", suspend=True, suspended_at=NOON)
    second = a_job("dev-2", workspace="dev")
    scene = Scene(held, second)
    assert scene.decided() == []
    resumed = later_version(held, suspend=False, suspended_at=None)
    scene.see(resumed)
    scene.see(a_daemon(capacity=5))
    assert scene.assigned() == [("dev-1", "daemon")]


def test_a_job_that_is_suspended_while_its_assignment_is_under_way_does_not_hold_up_the_line() -> None:
    first, second = (a_job(name, workspace="dev") for name in ("dev-1", "dev-2"))
    scene = Scene(a_daemon(), first, second)
    scene.decided()
    scene.see(later_version(first, suspend=True))
    scene.settled(first.uid, 0)
    decided = scene.decided()
    assert {type(each) for each in decided} == {Suspend, Assign}
    assert [each.job.name for each in decided if isinstance(each, Assign)] == ["dev-2"]


def test_a_run_that_the_controller_ended_keeps_slot_and_workspace_until_its_daemon_stopped_it() -> None:
    running = a_running_job("dev-1", workspace="dev", active_deadline=60)
    daemon = a_daemon(capacity=2, runs=(running,))
    scene = Scene(daemon, a_daemon("other"), running, a_job("dev-2", workspace="dev"))
    assert Fail in map(type, scene.decided(60))
    scene.settled("uid-of-dev-2", 60)
    scene.written(ended(running, Phase.FAILED, EndReason.DEADLINE_EXCEEDED), now=61)
    assert scene.assigned(61) == []
    scene.settled("uid-of-dev-2", 61)  # the second explanation's write
    scene.see(next_heartbeat(daemon), now=62)
    assert [name for name, _ in scene.assigned(62)] == ["dev-2"]


def test_the_run_of_a_deleted_job_blocks_its_workspace_even_if_no_heartbeat_lists_it_yet() -> None:
    acknowledged = an_assigned_job("dev-1", workspace="dev")
    daemon = a_daemon()
    scene = Scene(daemon, a_daemon("other"), acknowledged, a_job("dev-2", workspace="dev"))
    scene.decided()
    scene.mirror.job_deleted(acknowledged.uid, at(1))
    assert scene.assigned(1) == []
    first = next_heartbeat(daemon)
    scene.see(first, now=2)
    assert scene.assigned(2) == []
    scene.see(next_heartbeat(first), now=12)
    assert [name for name, _ in scene.assigned(12)] == ["dev-2"]


def test_a_run_left_behind_by_a_deleted_daemon_frees_its_workspace_when_the_daemon_is_lost() -> None:
    running = a_running_job("dev-1", workspace="dev")
    scene = Scene(a_daemon(runs=(running,)), a_daemon("other"), running, a_job("dev-2", workspace="dev"))
    scene.mirror.job_deleted(running.uid, at(0))
    scene.mirror.daemon_deleted("uid-of-daemon", at(0))
    assert scene.assigned(299) == []
    scene.settled("uid-of-dev-2", 299)
    assert scene.assigned(300) == [("dev-2", "other")]


def test_after_a_restart_a_listed_run_without_a_live_job_blocks_its_workspace() -> None:
    forgotten = a_running_job("dev-1", workspace="dev")
    scene = Scene(a_daemon(capacity=2, runs=(forgotten,)), a_job("dev-2", workspace="dev"))
    assert scene.assigned() == []


def test_an_unacknowledged_assignment_goes_back_and_its_daemon_is_passed_over_for_a_while() -> None:
    job = an_assigned_job(assigned=0)
    daemon = a_daemon()
    scene = Scene(daemon, job)
    assert scene.decided(0) == []
    assert scene.wake() == 30
    (release,) = scene.decided(30)
    assert isinstance(release, Release)
    scene.written(later_version(job, assignment=None), now=30)
    scene.see(beat := next_heartbeat(daemon), now=31)
    assert scene.assigned(31) == []
    scene.see(next_heartbeat(beat), now=60)
    assert scene.assigned(30 + BACK_OFF_SECONDS) == [("job", "daemon")]


def test_being_passed_over_does_not_put_off_the_judgement_of_silence() -> None:
    scene = Scene(a_daemon(lost_after=30), an_assigned_job(assigned=0), now=29)
    (release,) = scene.decided(30)
    assert isinstance(release, Release)
    scene.decided(30)
    assert scene.wake() == 29 + 4


def test_silence_is_confirmed_before_it_counts() -> None:
    job = a_running_job()
    daemon = a_daemon(runs=(job,))
    scene = Scene(daemon, job)
    assert scene.decided(39) == []
    assert scene.decided(40) == [CheckDaemon(daemon)]
    assert scene.decided(41) == []
    scene.checked(daemon, 41)
    (offline,) = scene.decided(41)
    assert isinstance(offline, MarkOffline)
    silent = replace(daemon, resource_version=2, state=DaemonState.OFFLINE)
    scene.checked(silent, 42)
    assert scene.decided(299) == []
    assert scene.decided(300) == [CheckDaemon(silent)]
    scene.checked(silent, 301)
    (fail,) = scene.decided(301)
    assert isinstance(fail, Fail)
    assert fail.reason is EndReason.DAEMON_LOST


def test_a_slow_answer_to_a_check_does_not_make_a_daemon_lost() -> None:
    job = a_running_job()
    daemon = a_daemon(runs=(job,))
    scene = Scene(daemon, job)
    scene.decided(40)
    scene.checked(daemon, 400)
    assert {type(each) for each in scene.decided(400)} == {CheckDaemon}


def test_a_daemon_without_process_gets_nothing_and_what_it_did_not_begin_goes_elsewhere() -> None:
    daemon, other = a_daemon(), a_daemon("other")
    scene = Scene(daemon, an_assigned_job(assigned=39))
    scene.decided(40)
    scene.checked(daemon, 40)
    decided = scene.decided(40)
    assert {type(each) for each in decided} == {Release, MarkOffline}
    scene.written(a_job(resource_version=2), now=41)
    scene.see(other, now=41)
    assert scene.assigned(41) == [("job", "other")]


def test_after_an_outage_nobody_is_lost_at_once() -> None:
    job = a_running_job()
    daemon = a_daemon(runs=(job,))
    scene = Scene(daemon, job)
    (check,) = scene.decided(1000)
    assert check == CheckDaemon(daemon)
    scene.mirror.contact_regained(at(1001))
    scene.checked(daemon, 1001)
    assert scene.decided(1001) == []


def test_a_new_process_of_a_daemon_means_that_the_former_ones_runs_are_lost_at_once() -> None:
    job = a_running_job()
    daemon = a_daemon(runs=(job,))
    scene = Scene(daemon, job)
    scene.see(next_heartbeat(daemon, instance="another process"), now=5)
    (fail,) = scene.decided(5)
    assert isinstance(fail, Fail)
    assert fail.reason is EndReason.DAEMON_LOST


def test_news_of_a_job_that_overtake_those_of_its_daemons_new_process_lose_nothing() -> None:
    daemon = a_daemon()
    job = a_running_job(instance="new process")
    scene = Scene(daemon, job)
    assert scene.decided(1) == [CheckDaemon(daemon)]
    scene.checked(next_heartbeat(daemon, runs=(job,), instance="new process"), 1)
    assert scene.decided(1) == []


def test_after_a_restart_a_job_of_a_former_process_is_lost_once_a_fresh_read_shows_it() -> None:
    daemon = a_daemon(instance="new process")
    job = a_running_job(instance="former process")
    scene = Scene(daemon, job)
    assert scene.decided(1) == [CheckDaemon(daemon)]
    scene.checked(daemon, 1)
    (fail,) = scene.decided(1)
    assert isinstance(fail, Fail)


def test_a_canceled_job_of_a_lost_daemon_becomes_canceled_by_way_of_canceling() -> None:
    daemon = a_daemon()
    job = a_running_job(cancel=True)
    scene = Scene(daemon, job)
    scene.see(next_heartbeat(daemon, instance="another process"), now=5)
    (begin,) = scene.decided(5)
    assert isinstance(begin, BeginCancel)
    scene.written(later_version(job, phase=Phase.CANCELING), now=5)
    (cancel,) = scene.decided(5)
    assert getattr(cancel, "reason", None) is CancelReason.DAEMON_GONE


def test_the_job_of_a_deleted_daemon_is_lost_when_its_fence_has_stopped_it() -> None:
    scene = Scene(a_daemon(), a_running_job())
    scene.decided()
    scene.mirror.daemon_deleted("uid-of-daemon", at(10))
    assert scene.decided(309) == []
    (fail,) = scene.decided(310)
    assert isinstance(fail, Fail)
    assert scene.wake() is None or scene.wake() > 310  # type: ignore[operator]


def test_the_job_of_a_deleted_daemon_that_could_not_be_failed_in_an_outage_is_after_it() -> None:
    scene = Scene(a_daemon(), a_running_job())
    scene.decided()
    scene.mirror.daemon_deleted("uid-of-daemon", at(10))
    assert isinstance(scene.decided(310)[0], Fail)
    scene.mirror.contact_regained(at(320))
    scene.settled("uid-of-job", 320)  # the write never arrived
    assert scene.decided(320) == []
    assert scene.wake() == 620
    (fail,) = scene.decided(620)
    assert isinstance(fail, Fail)


def test_a_cordoned_or_draining_daemon_gets_nothing_new() -> None:
    scene = Scene(a_daemon("cordoned", cordoned=True), a_daemon("draining", state=DaemonState.DRAINING), a_job())
    assert scene.assigned() == []


def test_a_job_that_nobody_can_take_is_told_within_seconds_and_once() -> None:
    job = a_job(tags={"gpu": "1"})
    scene = Scene(a_daemon(), job)
    assert scene.decided(0) == []
    (explain,) = scene.decided(1)
    assert isinstance(explain, Explain)
    assert explain.reason is PendingReason.NO_MATCHING_DAEMON
    scene.written(later_version(job, reason=explain.reason, message=explain.message), now=1)
    assert scene.decided(40) == [CheckDaemon(a_daemon())]


def test_an_explanation_whose_write_failed_is_given_again() -> None:
    scene = Scene(a_job())
    (explain,) = scene.decided(1)
    scene.settled("uid-of-job", 2)
    assert scene.decided(2) == []
    assert scene.decided(3) == [explain]


def test_a_job_whose_explanation_is_being_written_is_not_assigned_meanwhile() -> None:
    job = a_job()
    scene = Scene(job)
    (explain,) = scene.decided(1)
    assert isinstance(explain, Explain)
    scene.see(a_daemon(), now=1)
    assert scene.assigned(1) == []
    scene.written(later_version(job, reason=explain.reason, message=explain.message), now=1)
    assert scene.assigned(1) == [("job", "daemon")]


def test_a_job_that_waits_behind_another_of_its_workspace_is_told_which() -> None:
    running = a_running_job("dev-1", workspace="dev")
    scene = Scene(running, a_daemon(runs=(running,)), a_job("dev-2", workspace="dev"))
    assert scene.decided(1) == []
    (explain,) = [each for each in scene.decided(30) if isinstance(each, Explain)]
    assert explain.reason is PendingReason.WORKSPACE_BUSY
    assert "Waiting for dev-1" in explain.message


def test_when_its_turn_has_come_a_job_is_explained_anew() -> None:
    running = a_running_job("dev-1", workspace="dev")
    told = a_job("dev-2", workspace="dev", reason=PendingReason.WORKSPACE_BUSY, message="dev-1 goes first")
    scene = Scene(running, told)
    scene.decided(30)
    scene.settled(told.uid, 30)
    scene.see(ended(running), now=40)
    decided = [*scene.decided(40), *scene.decided(42)]
    assert [each.reason for each in decided if isinstance(each, Explain)] == [PendingReason.NO_MATCHING_DAEMON]


def test_an_ended_job_is_deleted_when_its_time_is_over() -> None:
    scene = Scene(an_ended_job(finished=0, ttl=60))
    assert scene.decided(0) == []
    assert scene.wake() == 60
    (expire,) = scene.decided(60)
    assert isinstance(expire, Expire)
    scene.mirror.job_deleted("uid-of-job", at(60))
    scene.settled("uid-of-job", 60)
    assert scene.decided(61) == []
    assert scene.wake() is None


def test_heartbeats_alone_decide_nothing() -> None:
    job = a_running_job()
    daemon = a_daemon(runs=(job,))
    scene = Scene(daemon, job)
    for beat in range(1, 200):
        daemon = next_heartbeat(daemon, runs=(job,))
        scene.see(daemon, now=10 * beat)
        assert scene.decided(10 * beat) == []


def test_the_slot_of_an_earlier_assignment_is_free_even_if_its_end_was_not_seen() -> None:
    job = an_assigned_job()
    scene = Scene(a_daemon(), job)
    elsewhere = an_assignment("other", instance="process-of-other")
    scene.see(later_version(job, phase=Phase.COMPLETED, assignment=elsewhere, started=NOON, finished=NOON))
    scene.see(a_job("next"))
    assert scene.assigned() == [("next", "daemon")]


def test_what_is_known_can_be_listed() -> None:
    scene = Scene(a_daemon(), a_daemon("off", state=DaemonState.OFFLINE), a_job(tags={"gpu": "1"}))
    scene.decided()
    assert [job.name for job in scene.mirror.jobs()] == ["job"]
    assert {daemon.name: online for daemon, online in scene.mirror.daemons()} == {"daemon": True, "off": False}
    assert scene.mirror.uids() == (frozenset({"uid-of-job"}), frozenset({"uid-of-daemon", "uid-of-off"}))
    assert [(demand.namespace, count) for demand, (count, _) in scene.mirror.queue_depths().items()] == [(NAMESPACE, 1)]


def test_nothing_is_decided_about_an_object_that_was_set_aside_until_it_is_seen_again() -> None:
    job, daemon = a_job(pending_timeout=60), a_daemon()
    scene = Scene(daemon, job)
    scene.mirror.park(job.uid)
    assert scene.decided(0) == []
    scene.see(later_version(job), now=1)
    assert scene.assigned(1) == [("job", "daemon")]


def test_a_daemon_that_was_set_aside_gets_nothing_until_it_is_seen_again() -> None:
    daemon = a_daemon()
    scene = Scene(daemon)
    scene.decided()
    scene.mirror.park(daemon.uid)
    scene.see(a_job())
    assert scene.assigned() == []
    scene.see(next_heartbeat(daemon), now=1)
    assert scene.assigned(1) == [("job", "daemon")]


def test_the_job_of_a_daemon_that_was_set_aside_and_then_deleted_is_lost_in_the_end() -> None:
    scene = Scene(a_daemon(), a_running_job())
    scene.mirror.park("uid-of-daemon")
    scene.mirror.daemon_deleted("uid-of-daemon", at(10))
    assert scene.decided(10) == []
    assert scene.wake() == 310
    (decision,) = scene.decided(310)
    assert isinstance(decision, Fail)
    assert decision.reason == EndReason.DAEMON_LOST


def test_a_refused_write_about_a_daemon_does_not_put_off_the_loss_of_its_jobs_once_it_is_deleted() -> None:
    scene = Scene(a_daemon(), a_running_job())
    for time in (40, 41, 43, 47, 55, 71, 103):
        scene.decided(time)
        check = CheckDaemon(a_daemon())
        scene.mirror.refused(check, Refusal("Forbidden", "no"), at(time))
        scene.mirror.settled(check, at(time))
        scene.under_way.clear()
    scene.mirror.daemon_deleted("uid-of-daemon", at(104))
    scene.decided(104)
    assert scene.wake() == 404


def test_a_started_job_that_its_daemon_leaves_out_twice_is_read_again() -> None:
    job, daemon = a_running_job(), a_daemon()
    scene = Scene(job, daemon)
    scene.see(once := next_heartbeat(daemon), now=1)
    assert CheckJob(job) not in scene.mirror.decide(at(1))
    scene.see(next_heartbeat(once), now=2)
    assert CheckJob(job) in scene.mirror.decide(at(2))


def test_nothing_is_decided_about_an_object_that_cannot_be_read() -> None:
    job = a_job(cancel=True)
    scene = Scene(job)
    scene.mirror.park(job.uid)
    assert list(scene.mirror.decide(at(1))) == []
    scene.see(later_version(job), now=2)
    assert len(list(scene.mirror.decide(at(2)))) == 1


def footprint(generations: int, *, leads: bool) -> int:
    """How large a mirror is that saw so many daemons come, run a job each, and go, as who leads or who stands by."""
    scene = Scene()
    for number in range(generations):
        now = number * 1000.0
        daemon = a_daemon(f"daemon-{number:06}")
        job = a_running_job(f"job-{number:06}", daemon=daemon.name, ttl=60)
        over = later_version(job, phase=Phase.COMPLETED, reason=EndReason.COMPLETED, finished=NOON + now)
        scene.see(daemon, job, over, now=now)
        if leads:
            scene.decided(now)
        scene.mirror.job_left(job.uid)
        scene.mirror.job_deleted(job.uid, at(now))
        scene.mirror.daemon_deleted(daemon.uid, at(now))
        for later in (now + 10, now + 900):
            if leads:
                scene.decided(later)
            else:
                scene.mirror.tidy(at(later))
    return len(pickle.dumps(scene.mirror))


@pytest.mark.parametrize("leads", [True, False], ids=["leads", "stands by"])
def test_nothing_is_kept_of_what_is_over(leads: bool) -> None:  # noqa: FBT001 - a parameter of pytest
    assert footprint(800, leads=leads) < footprint(200, leads=leads) + 2000


def test_who_stood_by_knows_at_once_what_to_decide() -> None:
    daemon = a_daemon("idle")
    scene = Scene(daemon, a_job("waiting"), an_ended_job("expired", ttl=60, finished=-100))
    for seconds in range(0, 1500, 10):
        daemon = next_heartbeat(daemon)
        scene.see(daemon, now=seconds)
        if seconds % 600 == 0:
            scene.mirror.tidy(at(seconds))
    decisions = {type(decision) for decision in scene.decided(1500)}
    assert decisions == {Assign, Expire}

"""The jobs of one workspace run one at a time, in order of creation, whatever becomes of their runs."""

from dataclasses import replace

from provisioner_operator.api.v1alpha1.enums import EndReason, PendingReason, Phase
from provisioner_operator.core.jobs.decisions import Assign, Explain, Fail, Suspend
from support.builders.core import (
    NOON,
    a_daemon,
    a_job,
    a_running_job,
    an_assigned_job,
    at,
    later_version,
    next_heartbeat,
)
from support.builders.observed_jobs import ObservedJobs, assigned_by, ended


def test_one_job_of_a_workspace_runs_at_a_time_in_order_of_creation() -> None:
    first, second = (a_job(name, workspace="dev") for name in ("dev-1", "dev-2"))
    observed = ObservedJobs(a_daemon(capacity=5), replace(second, priority=9), first)
    (assign,) = observed.decided()
    assert assign == Assign(first, a_daemon(capacity=5))
    running = assigned_by(assign)
    observed.written(running)
    assert observed.assigned() == []
    observed.see(ended(running, Phase.FAILED))
    assert observed.assigned() == [("dev-2", "daemon")]


def test_a_suspended_job_holds_up_nobody_and_has_its_place_back_when_it_resumes() -> None:
    held = a_job("dev-1", workspace="dev", suspend=True, suspended_at=NOON)
    second = a_job("dev-2", workspace="dev")
    observed = ObservedJobs(held, second)
    assert observed.decided() == []
    resumed = later_version(held, suspend=False, suspended_at=None)
    observed.see(resumed)
    observed.see(a_daemon(capacity=5))
    assert observed.assigned() == [("dev-1", "daemon")]


def test_a_job_that_is_suspended_while_its_assignment_is_under_way_does_not_hold_up_the_line() -> None:
    first, second = (a_job(name, workspace="dev") for name in ("dev-1", "dev-2"))
    observed = ObservedJobs(a_daemon(), first, second)
    observed.decided()
    observed.see(later_version(first, suspend=True))
    observed.settled(first.uid, 0)
    decided = observed.decided()
    assert {type(each) for each in decided} == {Suspend, Assign}
    assert [each.job.name for each in decided if isinstance(each, Assign)] == ["dev-2"]


def test_a_run_that_the_controller_ended_keeps_slot_and_workspace_until_its_daemon_stopped_it() -> None:
    running = a_running_job("dev-1", workspace="dev", active_deadline=60)
    daemon = a_daemon(capacity=2, runs=(running,))
    observed = ObservedJobs(daemon, a_daemon("other"), running, a_job("dev-2", workspace="dev"))
    assert Fail in map(type, observed.decided(60))
    observed.settled("uid-of-dev-2", 60)
    observed.written(ended(running, Phase.FAILED, EndReason.DEADLINE_EXCEEDED), now=61)
    assert observed.assigned(61) == []
    observed.settled("uid-of-dev-2", 61)  # the second explanation's write
    observed.see(next_heartbeat(daemon), now=62)
    assert [name for name, _ in observed.assigned(62)] == ["dev-2"]


def test_the_run_of_a_deleted_job_blocks_its_workspace_even_if_no_heartbeat_lists_it_yet() -> None:
    acknowledged = an_assigned_job("dev-1", workspace="dev")
    daemon = a_daemon()
    observed = ObservedJobs(daemon, a_daemon("other"), acknowledged, a_job("dev-2", workspace="dev"))
    observed.decided()
    observed.mirror.job_deleted(acknowledged.uid, at(1))
    assert observed.assigned(1) == []
    first = next_heartbeat(daemon)
    observed.see(first, now=2)
    assert observed.assigned(2) == []
    observed.see(next_heartbeat(first), now=12)
    assert [name for name, _ in observed.assigned(12)] == ["dev-2"]


def test_a_run_left_behind_by_a_deleted_daemon_frees_its_workspace_when_the_daemon_is_lost() -> None:
    running = a_running_job("dev-1", workspace="dev")
    observed = ObservedJobs(a_daemon(runs=(running,)), a_daemon("other"), running, a_job("dev-2", workspace="dev"))
    observed.mirror.job_deleted(running.uid, at(0))
    observed.mirror.daemon_deleted("uid-of-daemon", at(0))
    assert observed.assigned(299) == []
    observed.settled("uid-of-dev-2", 299)
    assert observed.assigned(300) == [("dev-2", "other")]


def test_after_a_restart_a_listed_run_without_a_live_job_blocks_its_workspace() -> None:
    forgotten = a_running_job("dev-1", workspace="dev")
    observed = ObservedJobs(a_daemon(capacity=2, runs=(forgotten,)), a_job("dev-2", workspace="dev"))
    assert observed.assigned() == []


def test_a_job_that_waits_behind_another_of_its_workspace_names_it() -> None:
    running = a_running_job("dev-1", workspace="dev")
    observed = ObservedJobs(running, a_daemon(runs=(running,)), a_job("dev-2", workspace="dev"))
    assert observed.decided(1) == []
    (explain,) = [each for each in observed.decided(30) if isinstance(each, Explain)]
    assert explain.reason is PendingReason.WORKSPACE_BUSY
    assert "Waiting for earlier jobs of workspace dev" in explain.message


def test_when_its_turn_has_come_a_job_is_explained_anew() -> None:
    running = a_running_job("dev-1", workspace="dev")
    explained = a_job("dev-2", workspace="dev", reason=PendingReason.WORKSPACE_BUSY, message="dev-1 goes first")
    observed = ObservedJobs(running, explained)
    observed.decided(30)
    observed.settled(explained.uid, 30)
    observed.see(ended(running), now=40)
    decided = [*observed.decided(40), *observed.decided(42)]
    assert [each.reason for each in decided if isinstance(each, Explain)] == [PendingReason.NO_MATCHING_DAEMON]

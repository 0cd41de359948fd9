"""Builds after a start or a change of the leader: they wait until each daemon has shown what it runs."""

from dataclasses import replace
from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import ConditionStatus, DaemonState, PendingReason
from provisioner_operator.core.daemons.decisions import HEARTBEAT_MISSING, CheckDaemon
from provisioner_operator.core.jobs.decisions import Assign, Explain
from provisioner_operator.core.model.backoff import Refusal
from provisioner_operator.core.model.records import Condition, Daemon, Job, UnreadableObject
from support.builders.core import NAMESPACE, NOON, a_daemon, a_job, a_running_job, at, at_rest, next_heartbeat, tags
from support.builders.observed_jobs import ObservedJobs

GPU = tags(gpu="yes")
"""Tags of the daemon that may hide a run, so that it takes none of the jobs."""
WANTED = a_job("wanted", workspace="dev", pending_timeout=9000)


def a_new_term(*daemons: Daemon | Job) -> ObservedJobs:
    """A controller that begins to lead after it listed these daemons, a free one, and a job that waits for it."""
    observed = ObservedJobs(*daemons, a_daemon("free", heartbeat=None), WANTED)
    observed.mirror.leadership_gained(at(0))
    return observed


def _missed(since: float) -> tuple[Condition, ...]:
    return (Condition("Ready", ConditionStatus.UNKNOWN, HEARTBEAT_MISSING, "", NOON + since),)


def test_a_build_waits_until_each_daemon_has_reported_twice() -> None:
    silent = a_daemon("hiding", tags=GPU)
    observed = a_new_term(silent)
    assert observed.assigned(0) == []
    observed.see(once := next_heartbeat(silent), now=5)
    assert observed.assigned(5) == []
    observed.see(next_heartbeat(once), now=10)
    assert observed.assigned(10) == [("wanted", "free")]


def test_a_refused_write_about_a_daemon_puts_nothing_off_that_its_heartbeats_show() -> None:
    silent = a_daemon("hiding", tags=GPU, finalizers=())
    observed = a_new_term(silent)
    (hold,) = observed.decided(0)
    observed.mirror.refused(hold, Refusal("Forbidden", "no right"), at(0))
    observed.settled(silent.uid)
    observed.see(once := next_heartbeat(silent), now=0.3)
    observed.see(next_heartbeat(once), now=0.6)
    assert observed.assigned(0.7) == [("wanted", "free")]


def test_jobs_that_wait_for_the_reports_count_as_waiting_for_a_daemon() -> None:
    silent = a_daemon("hiding", tags=GPU)
    behind = a_job("behind", workspace="dev", created=1)
    other = a_job("other", workspace="ml", created=-1, pending_timeout=9000)
    unheld = a_job("unheld", namespace="other", workspace="dev")
    observed = ObservedJobs(silent, WANTED, behind, other, unheld, a_running_job("running", workspace="web"))
    observed.see(a_job("after", workspace="web"))
    observed.decided(0)
    before = observed.mirror.queue_depths()
    observed.mirror.leadership_gained(at(0))
    assert observed.mirror.queue_depths() == before  # they have not left the queue yet
    observed.decided(0)
    assert observed.mirror.queue_depths() == before
    assert {(demand.namespace, first.name): count for demand, (count, first) in before.items()} == {
        (NAMESPACE, "other"): 2,
        ("other", "unheld"): 1,
    }


def test_a_run_that_no_heartbeat_had_listed_before_its_job_was_deleted_keeps_its_workspace() -> None:
    silent, unseen = a_daemon("hiding", tags=GPU), a_running_job("deleted", workspace="dev")
    observed = a_new_term(silent)
    observed.see(once := next_heartbeat(silent), now=5)
    observed.see(twice := next_heartbeat(once, runs=(unseen,)), now=10)
    assert observed.assigned(10) == []
    observed.see(next_heartbeat(twice), now=15)
    assert observed.assigned(15) == [("wanted", "free")]


def test_neither_jobs_without_workspace_nor_other_namespaces_wait() -> None:
    elsewhere = a_job("elsewhere", workspace="dev", namespace="other")
    observed = a_new_term(a_daemon("hiding", tags=GPU))
    observed.see(a_daemon("theirs", namespace="other", heartbeat=None), elsewhere, a_job("import"))
    assert sorted(observed.assigned(0)) == [("elsewhere", "theirs"), ("import", "free")]


def test_builds_wait_for_a_silent_daemon_until_it_is_lost() -> None:
    silent = a_daemon("hiding", tags=GPU, lost_after=15)
    observed = a_new_term(silent)
    for seconds in (2, 2, 15):  # it is read, marked as offline, and read again
        assert observed.assigned(seconds) == []
        observed.checked(silent, seconds)
    assert observed.assigned(16) == [("wanted", "free")]


def test_builds_wait_for_a_silent_daemon_that_is_deleted_until_its_fence_has_ended_its_runs() -> None:
    silent = a_daemon("hiding", tags=GPU, lost_after=15)
    observed = a_new_term(silent)
    observed.mirror.daemon_deleted(silent.uid, at(3))
    assert observed.assigned(17) == []
    assert observed.wake() == 18
    assert observed.assigned(18) == [("wanted", "free")]


def test_builds_wait_no_longer_because_a_silent_daemon_is_deleted() -> None:
    silent = a_daemon("hiding", tags=GPU, lost_after=15)
    observed = a_new_term(silent)
    observed.mirror.daemon_deleted(silent.uid, at(14), watched=True)
    assert observed.assigned(14) == []
    assert observed.assigned(15) == [("wanted", "free")]


def test_the_heartbeats_of_a_daemon_that_cannot_be_parsed_are_not_known() -> None:
    job = a_running_job("job", daemon="hiding", workspace="dev")
    observed = a_new_term(silent := a_daemon("hiding", tags=GPU, lost_after=15), job)
    observed.mirror.observe_unreadable_daemon(UnreadableObject(NAMESPACE, "hiding", silent.uid, 2), at(1))
    observed.mirror.daemon_deleted(silent.uid, at(14), watched=True)
    assert [each.subject for each in observed.decided(28)] == []
    assert [each.subject for each in observed.decided(29)] == [job.uid]


@pytest.mark.parametrize(
    ("status", "is_over"),
    [
        ({"heartbeat": None}, True),
        ({"state": DaemonState.OFFLINE}, True),
        ({"state": DaemonState.OFFLINE, "runs": (a_running_job(workspace="other"),)}, False),
        ({"state": DaemonState.OFFLINE, "conditions": _missed(-300)}, True),
        ({"state": DaemonState.OFFLINE, "conditions": _missed(-299)}, False),
        ({"state": DaemonState.DRAINING}, False),
    ],
)
def test_a_daemon_whose_status_shows_that_it_is_over_holds_up_nothing(
    status: dict[str, Any],
    is_over: bool,  # noqa: FBT001 - a parameter of pytest
) -> None:
    observed = a_new_term(a_daemon("hiding", tags=GPU, **status))
    assert observed.assigned(0) == ([("wanted", "free")] if is_over else [])


def test_a_daemon_that_cannot_be_parsed_holds_up_nothing() -> None:
    observed = a_new_term(a_daemon("hiding", tags=GPU))
    observed.mirror.observe_unreadable_daemon(UnreadableObject(NAMESPACE, "hiding", "uid-of-hiding", 2), at(1))
    assert observed.assigned(1) == [("wanted", "free")]


def test_a_daemon_that_could_not_be_parsed_before_the_term_holds_up_nothing_either() -> None:
    observed = ObservedJobs(a_daemon("hiding", tags=GPU), a_daemon("free", heartbeat=None), WANTED)
    observed.mirror.observe_unreadable_daemon(UnreadableObject(NAMESPACE, "hiding", "uid-of-hiding", 2), at(0))
    observed.mirror.leadership_gained(at(1))
    assert observed.assigned(1) == [("wanted", "free")]


def test_the_wait_is_explained_by_the_daemon_that_causes_it() -> None:
    silent = a_daemon("hiding", tags=GPU, lost_after=300)
    observed = a_new_term(silent, a_job("behind", workspace="dev", created=1))
    observed.decided(0)
    explained = {each.job.name: each for each in observed.decided(31) if isinstance(each, Explain)}
    assert explained.keys() == {"wanted", "behind"}
    assert explained["wanted"].reason == "WorkspaceBusy"
    assert explained["wanted"].message == (
        "After its start, the controller waits for the reports of daemon hiding, since it may run something. "
        "If it has stopped, start it again, or wait until it counts as lost (lostAfterSeconds)."
    )


def test_a_job_that_nobody_could_run_anyway_keeps_its_explanation_while_reports_are_awaited() -> None:
    observed = a_new_term(a_daemon("hiding", tags=GPU, lost_after=300))
    observed.see(a_job("stuck", workspace="web", tags=tags(zone="none"), pending_timeout=9000))
    observed.decided(0)
    (explained,) = (each for each in observed.decided(2) if isinstance(each, Explain))
    assert (explained.job.name, explained.reason) == ("stuck", PendingReason.NO_MATCHING_DAEMON)


def test_the_wait_for_a_deleted_daemon_is_explained_too() -> None:
    observed = a_new_term(silent := a_daemon("hiding", tags=GPU, lost_after=300))
    observed.mirror.daemon_deleted(silent.uid, at(0))
    observed.decided(0)
    (explained,) = (each for each in observed.decided(31) if isinstance(each, Explain))
    assert explained.message.startswith("After its start, the controller waits for the reports of a deleted daemon,")


def test_a_job_whose_turn_it_was_waits_again_in_a_new_term() -> None:
    silent, full = a_daemon("hiding", tags=GPU), a_daemon("free", heartbeat=None, cordoned=True)
    observed = ObservedJobs(silent, full, WANTED)
    assert observed.assigned(0) == []
    observed.mirror.leadership_gained(at(1))
    observed.see(next_heartbeat(full, cordoned=False), now=1)
    assert observed.assigned(1) == []


@pytest.mark.parametrize(("silent_for", "waits"), [(15, False), (16, True)])
def test_a_standby_that_hears_all_daemons_lets_no_build_wait(
    silent_for: float,
    waits: bool,  # noqa: FBT001 - a parameter of pytest
) -> None:
    known = a_daemon("known", tags=GPU)
    observed = ObservedJobs(known, a_daemon("free", heartbeat=None), WANTED)
    observed.see(once := next_heartbeat(known), now=5)
    observed.see(next_heartbeat(once), now=10)
    observed.mirror.contact_regained(
        at(11).monotonic, at(10 + silent_for)
    )  # outages are no excuse: a run may have begun
    observed.mirror.leadership_gained(at(10 + silent_for))
    assert observed.assigned(10 + silent_for) == ([] if waits else [("wanted", "free")])


def _reads(observed: ObservedJobs, now: float) -> list[str]:
    return [each.daemon.name for each in observed.decided(now) if isinstance(each, CheckDaemon)]


def test_a_daemon_at_rest_is_read_at_once_instead_of_awaited() -> None:
    resting = at_rest(a_daemon("hiding", tags=GPU))
    observed = a_new_term(resting)
    decided = observed.decided(0)
    assert [each.daemon.name for each in decided if isinstance(each, CheckDaemon)] == ["hiding"]
    assert [each for each in decided if isinstance(each, Assign)] == []
    observed.checked(resting, 0.1)
    assert observed.assigned(0.1) == [("wanted", "free")]


def test_a_read_that_was_begun_before_the_runs_were_doubted_shows_nothing() -> None:
    resting = at_rest(a_daemon("hiding", tags=GPU))
    observed = ObservedJobs(resting, a_daemon("free", heartbeat=None), WANTED, now=-20)
    observed.mirror.leadership_gained(at(-20))
    assert _reads(observed, -20) == ["hiding"]
    observed.mirror.leadership_gained(at(0))
    observed.checked(resting, 0.1)
    assert observed.assigned(0.1) == []


def test_a_read_that_finds_a_daemon_at_work_shows_nothing() -> None:
    observed = a_new_term(resting := at_rest(a_daemon("hiding", tags=GPU)))
    assert _reads(observed, 20) == ["hiding"]
    observed.checked(once := next_heartbeat(resting, runs=(a_running_job(workspace="dev"),), idle_interval=0), 20)
    assert observed.assigned(21) == []
    observed.see(next_heartbeat(once), now=30)
    assert observed.assigned(30) == [("wanted", "free")]


def test_a_daemon_at_rest_is_not_read_where_nothing_waits_for_it() -> None:
    observed = ObservedJobs(at_rest(a_daemon("hiding")))
    observed.decided(0)
    assert _reads(observed, 50) == []


@pytest.mark.parametrize("silent_for", [16, 91])
def test_a_standby_reads_a_daemon_at_rest_at_once(silent_for: float) -> None:
    known = at_rest(a_daemon("known", tags=GPU))
    observed = ObservedJobs(known, now=-110)
    observed.see(once := at_rest(known), now=-100)
    observed.see(twice := at_rest(once), now=-silent_for)
    observed.see(a_daemon("free", heartbeat=None), WANTED)
    observed.mirror.leadership_gained(at(0))
    assert _reads(observed, 0) == ["known"]
    observed.checked(twice, 0.1)
    assert observed.assigned(0.1) == [("wanted", "free")]


def test_a_deleted_daemon_at_rest_is_released_by_its_heartbeats_alone() -> None:
    resting = at_rest(a_daemon("leaving"))
    observed = ObservedJobs(resting)
    observed.see(deleted := replace(resting, deleting=True, resource_version=9))
    assert _reads(observed, 50) == []
    observed.see(deleted, now=51, fresh=True)
    assert [type(each).__name__ for each in observed.decided(51)] == []

"""Builds after a restore of etcd: the objects of daemons show nothing until they report, and some may be missing."""

from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import DaemonState
from provisioner_operator.core.daemons.decisions import CheckDaemon, ReleaseDaemon
from provisioner_operator.core.jobs.decisions import Assign, Explain
from provisioner_operator.core.model.records import Daemon, Job
from provisioner_operator.core.reconcilers.decisions import JobReconcilerDecision
from support.builders.core import NOON, a_daemon, a_job, at, at_rest, next_heartbeat, tags
from support.builders.observed_jobs import ObservedJobs

GPU = tags(gpu="yes")
"""Tags of the daemon that may hide a run, so that it takes none of the jobs."""
WANTED = a_job("wanted", workspace="dev", pending_timeout=9000)
FREE = a_daemon("free", heartbeat=None)
START = [("wanted", "free")]
ROUNDS = 3
"""A daemon is read, and then again because another threshold has passed; what is decided then follows from both."""


class RestoredCluster(ObservedJobs):
    """A controller that begins to lead so many seconds after etcd was restored, and a build that waits."""

    def __init__(self, *objects: Daemon | Job, ago: float = 0.0) -> None:
        super().__init__(WANTED, *objects)
        self.mirror.leadership_gained(at(0), NOON - ago)

    def assigns(self, now: float, daemon: Daemon = FREE) -> list[tuple[str, str]]:
        """Return what is assigned, now that this daemon has just registered, and that each read shows what is known."""
        self.see(daemon, now=now)
        found = (each for each in self.carried_out(now) if isinstance(each, Assign))
        return list(dict.fromkeys((each.job.name, each.daemon.name) for each in found))

    def carried_out(self, now: float) -> list[JobReconcilerDecision]:
        """Return what is decided; each read shows what is known, and all other writes come to nothing."""
        found: list[JobReconcilerDecision] = []
        for _ in range(ROUNDS):
            for each in self.decided(now):
                found.append(each)
                if isinstance(each, CheckDaemon):
                    self.checked(each.daemon, now)
                else:
                    self.settled(each.subject, now)
        return found


def test_builds_wait_for_daemons_that_the_backup_may_lack() -> None:
    observed = RestoredCluster()
    assert observed.assigns(299.9) == []
    assert observed.assigns(300) == START


def test_the_wait_ends_without_any_news() -> None:
    observed = RestoredCluster()
    observed.decided(0)
    assert observed.decided(31) != [], "it is explained"
    assert observed.wake() == 300


def test_jobs_without_a_workspace_do_not_wait() -> None:
    assert RestoredCluster(a_job("import")).assigns(0) == [("import", "free")]


def test_builds_of_a_namespace_that_appears_later_wait_too() -> None:
    observed = RestoredCluster()
    observed.see(a_job("new", namespace="other", workspace="dev", pending_timeout=9000), now=280)
    theirs = a_daemon("theirs", namespace="other", heartbeat=None)
    assert observed.assigns(280, theirs) == []
    assert observed.mirror.held_namespaces() == 2
    assert sorted(observed.assigns(300)) == [("new", "theirs"), ("wanted", "free")]
    assert observed.mirror.held_namespaces() == 0


def test_the_time_counts_from_the_restore_and_one_long_ago_is_no_reason_to_wait() -> None:
    observed = RestoredCluster(ago=200)
    assert observed.assigns(99.9) == []
    assert observed.assigns(100) == START
    assert RestoredCluster(ago=300).assigns(0) == START


def test_a_restore_by_a_clock_that_is_ahead_was_just_now() -> None:
    observed = RestoredCluster(ago=-5000)
    assert observed.assigns(299.9) == []
    assert observed.assigns(300) == START


def test_the_next_leader_waits_no_longer() -> None:
    observed = RestoredCluster()
    observed.decided(0)
    observed.mirror.leadership_gained(at(200), NOON)
    assert observed.assigns(299.9) == []
    assert observed.assigns(300) == START


def test_the_outage_after_the_restore_prolongs_the_wait() -> None:
    observed = RestoredCluster()
    observed.mirror.contact_regained(at(20).monotonic, at(50))
    assert observed.assigns(329.9) == []
    assert observed.assigns(330) == START


def test_the_wait_is_explained_by_the_restore() -> None:
    observed = RestoredCluster()
    assert observed.assigns(0) == []
    (explained,) = (each for each in observed.decided(31) if isinstance(each, Explain))
    who = "daemons that the restored backup of etcd may lack, since they may run something"
    remedy = "Wait until they count as lost, after five minutes."
    assert explained.reason == "WorkspaceBusy"
    assert explained.message == f"After its start, the controller waits for the reports of {who}. {remedy}"


@pytest.mark.parametrize("status", [{"heartbeat": None}, {"state": DaemonState.OFFLINE}])
def test_the_end_of_a_daemon_in_the_backup_shows_nothing_until_it_is_lost(status: dict[str, Any]) -> None:
    observed = RestoredCluster(a_daemon("hiding", tags=GPU, lost_after=400, **status))
    assert observed.assigns(399.9) == []
    assert observed.assigns(400) == START


def test_the_end_that_a_daemon_reports_after_the_restore_counts() -> None:
    hiding = a_daemon("hiding", tags=GPU, lost_after=400)
    observed = RestoredCluster(hiding)
    observed.see(next_heartbeat(hiding, state=DaemonState.OFFLINE), now=20)
    assert observed.assigns(299.9) == []
    assert observed.assigns(300) == START


def test_a_read_of_a_daemon_at_rest_shows_nothing_before_it_has_reported() -> None:
    resting = at_rest(a_daemon("hiding", tags=GPU, lost_after=400))
    observed = RestoredCluster(resting)
    assert not any(isinstance(each, CheckDaemon) for each in observed.carried_out(30))
    assert observed.assigns(390) == []
    observed.see(at_rest(resting), now=395)
    assert observed.assigns(395) == START


def test_a_deleted_daemon_is_kept_until_runs_are_over_that_the_backup_does_not_show() -> None:
    leaving = a_daemon("leaving", state=DaemonState.OFFLINE, deleting=True, lost_after=400)
    observed = RestoredCluster(leaving)
    assert not any(isinstance(each, ReleaseDaemon) for each in observed.carried_out(399.9))
    assert any(isinstance(each, ReleaseDaemon) for each in observed.carried_out(400))


def test_nothing_is_left_of_the_wait_once_it_is_over() -> None:
    observed = ObservedJobs()
    observed.mirror.leadership_gained(at(0), NOON)
    assert observed.decided(0) == []
    assert observed.wake() == 300
    assert observed.decided(300) == []
    assert observed.wake() is None
    assert list(observed.mirror._daemons.judged()) == []  # noqa: SLF001 - nothing shows it from outside

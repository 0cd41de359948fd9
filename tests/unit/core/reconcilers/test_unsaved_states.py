"""States that only a daemon has because they could not be saved: no job of their workspaces starts, and everybody is told why."""

from dataclasses import replace
from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import DaemonState, EndReason, PendingReason, Phase
from provisioner_operator.core.daemons.decisions import ReleaseDaemon
from provisioner_operator.core.jobs.decisions import Explain
from provisioner_operator.core.model.records import Daemon, DaemonPod, Job, ReportedState
from provisioner_operator.core.reconcilers.reconcilers import Reconcilers
from provisioner_operator.core.views.live_queue import LiveQueue
from support.builders.core import a_daemon, a_job, a_running_job, at, later_version, next_heartbeat
from support.builders.observed_jobs import ObservedJobs, ended
from support.builders.workspaces import a_workspace

STATE = ReportedState("dev", "dev-1", "exceeded quota")


def a_keeper(**fields: Any) -> Daemon:
    return a_daemon("keeper", tags={"is": "elsewhere"}, unsaved=(STATE,), **fields)


def a_build(name: str = "dev-2") -> Job:
    return a_job(name, workspace="dev")


def test_no_job_of_the_workspace_starts_until_the_state_is_saved() -> None:
    keeper = a_keeper()
    observed = ObservedJobs(a_daemon(), keeper, a_build(), a_job("other", workspace="web"))
    assert observed.assigned(0) == [("other", "daemon")]
    observed.see(a_daemon("second"), next_heartbeat(keeper, unsaved=()), now=1)
    assert observed.assigned(1) == [("dev-2", "second")]


def test_its_jobs_are_told_soon_which_daemon_has_the_state() -> None:
    observed = ObservedJobs(a_daemon(), a_keeper(), a_build())
    observed.decided(0)
    (explained,) = [each for each in observed.decided(2) if isinstance(each, Explain)]
    assert explained.reason is PendingReason.STATE_UNSAVED
    assert "Job dev-1 could not save the Terraform state of workspace dev. Daemon keeper keeps it" in explained.message


def test_a_daemon_that_is_lost_still_has_the_state_on_its_disk() -> None:
    keeper = a_keeper()
    observed = ObservedJobs(keeper, now=0)
    observed.decided(1000)
    observed.checked(keeper, 1000)
    observed.decided(1000)
    observed.see(a_daemon(), a_build(), now=1001)
    assert observed.assigned(1001) == []


def test_the_state_is_gone_with_the_daemons_object() -> None:
    observed = ObservedJobs(a_daemon(), a_keeper(), a_build())
    assert observed.assigned(0) == []
    observed.mirror.daemon_deleted("uid-of-keeper", at(1))
    assert observed.assigned(1) == [("dev-2", "daemon")]


def test_the_state_is_gone_with_the_disk_of_a_pod_that_ended() -> None:
    keeper = a_keeper(pod_uid="pod")
    observed = ObservedJobs(a_daemon(), keeper, a_build())
    pod = DaemonPod(keeper.namespace, keeper.name, "pod", 1, keeper.offer, ready=True)
    observed.mirror.observe_pod(pod, at(0))
    assert observed.assigned(0) == []
    observed.mirror.observe_pod(replace(pod, resource_version=2, ended="Evicted"), at(1))
    assert observed.assigned(1) == [("dev-2", "daemon")]
    observed.see(next_heartbeat(keeper, unsaved=(STATE,)), a_build("dev-3"), now=2)
    assert observed.mirror._placement.keeper_of((keeper.namespace, "dev")) is None  # noqa: SLF001


def test_a_deleted_daemon_stays_while_it_has_the_state() -> None:
    keeper = a_keeper()
    observed = ObservedJobs(keeper)
    observed.see(keeper := replace(keeper, resource_version=2, deleting=True), now=1)
    for seconds in (2, 3):
        observed.see(keeper := next_heartbeat(keeper), now=seconds)
        assert observed.decided(seconds) == []
    observed.see(keeper := next_heartbeat(keeper, unsaved=()), now=4)
    assert observed.decided(4) == [ReleaseDaemon(keeper)]


def test_the_workspace_is_held_until_a_heartbeat_shows_whether_the_state_of_the_ended_job_is_saved() -> None:
    job = a_running_job("dev-1", workspace="dev")
    daemon = replace(a_daemon(runs=(job,)), state=DaemonState.BUSY)
    observed = ObservedJobs(daemon, a_daemon("second"), job, a_build())
    observed.see(ended(job, Phase.FAILED, EndReason.STATE_UNSAVED), now=1)
    assert observed.assigned(1) == []
    observed.see(daemon := next_heartbeat(daemon, unsaved=(STATE,)), now=2)
    assert observed.assigned(2) == []
    observed.see(next_heartbeat(daemon, unsaved=()), now=3)
    assert [name for name, _ in observed.assigned(3)] == ["dev-2"]


def conditions(reconcilers: Reconcilers, now: float) -> dict[str, tuple[str, str]]:
    """Return status and message of the workspace's conditions that are about to be written."""
    decisions = {type(each).__name__: each for each in reconcilers.workspaces.decide(at(now))}
    for each in decisions.values():
        reconcilers.workspaces.settled(each, at(now))
    status: Any = decisions["UpdateWorkspaceStatus"]
    return {each.type: (each.status, each.message) for each in status.status.conditions}


def test_the_workspace_says_so_until_then() -> None:
    reconcilers = Reconcilers.create("image")
    keeper = a_keeper()
    reconcilers.workspaces.observe_workspace(a_workspace(running=False))
    reconcilers.jobs.observe_daemon(keeper, at(0))
    status, message = conditions(reconcilers, 0)["StateSaved"]
    assert status == "False"
    assert message.endswith("Now: exceeded quota.")


@pytest.mark.parametrize("reported", [True, False])
def test_the_condition_is_absent_from_a_workspace_whose_state_was_always_saved(reported: bool) -> None:  # noqa: FBT001
    reconcilers = Reconcilers.create("image")
    reconcilers.workspaces.observe_workspace(a_workspace(running=False))
    reconcilers.jobs.observe_daemon(keeper := a_keeper() if reported else a_daemon(), at(0))
    reconcilers.jobs.observe_daemon(next_heartbeat(keeper, unsaved=()), at(1))
    assert "StateSaved" not in conditions(reconcilers, 1)


def test_a_workspace_that_has_no_object_of_its_own_is_told_nothing() -> None:
    reconcilers = Reconcilers.create("image")
    reconcilers.jobs.observe_daemon(a_keeper(), at(0))
    assert list(reconcilers.workspaces.decide(at(0))) == []
    reconcilers.workspaces.observe_workspace(a_workspace(running=False))
    assert "StateSaved" in conditions(reconcilers, 1)


def test_a_job_that_is_not_next_learns_that_the_state_is_saved() -> None:
    keeper, waiting = a_keeper(), a_build("dev-3")
    observed = ObservedJobs(keeper, a_build("dev-2"), waiting)
    observed.decided(0)
    explained = [each for each in observed.decided(2) if isinstance(each, Explain)]
    for each in explained:
        told = later_version(each.job, reason=each.reason, message=each.message)
        observed.written(told, now=2)
    observed.see(next_heartbeat(keeper, unsaved=()), now=3)
    decided = [each for seconds in (3, 5, 31, 33) for each in observed.decided(seconds)]
    again = {each.job.name: each.reason for each in decided if isinstance(each, Explain)}
    assert again["dev-3"] is PendingReason.WORKSPACE_BUSY


def test_views_of_the_queue_say_the_same() -> None:
    queue = LiveQueue()
    keeper, job = a_keeper(heartbeat="2027-01-15T08:00:00Z"), a_build()
    queue.observe_daemon(keeper)
    queue.observe_job(job)
    busy = queue.busy(job)
    assert busy is not None
    assert busy.reason is PendingReason.STATE_UNSAVED
    queue.forget_daemon(keeper.uid)
    assert queue.busy(job) is None

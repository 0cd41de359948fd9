"""The three reconcilers together: what they share, and when the first of them has to decide."""

import pytest

from provisioner_operator.api.v1alpha1.enums import JobType, Phase
from provisioner_operator.core.jobs.decisions import Assign, Expire, Fail
from provisioner_operator.core.jobs.history import HistoryLimits
from provisioner_operator.core.jobs.workspace_permission import Ownership
from provisioner_operator.core.model.records import UnreadableObject
from provisioner_operator.core.reconcilers.jobs import HELD_SECONDS
from provisioner_operator.core.reconcilers.reconcilers import Reconcilers
from provisioner_operator.core.scheduling.queueing.policy import QueuePolicy
from provisioner_operator.core.scheduling.queueing.records import Queue
from provisioner_operator.core.workspaces.records import WorkspaceStatus
from support.builders.core import NAMESPACE, a_daemon, a_job, an_assigned_job, an_ended_job, at
from support.builders.workspaces import a_build, a_workspace


def test_who_knows_nothing_never_has_to_decide() -> None:
    assert Reconcilers.create("image").next_wake() is None


def test_the_first_of_them_that_has_to_decide_sets_the_time() -> None:
    reconcilers = Reconcilers.create("image")
    for name, ttl in (("late", 90), ("soon", 60)):
        reconcilers.jobs.observe_job(an_ended_job(name, ttl=ttl), at(0))
    list(reconcilers.jobs.decide(at(0)))

    assert reconcilers.next_wake() == at(60).monotonic


def test_the_job_of_a_workspace_is_deleted_once_the_workspaces_status_has_its_end() -> None:
    reconcilers = Reconcilers.create("image")
    build = a_build(phase=Phase.COMPLETED)
    reconcilers.workspaces.observe_workspace(a_workspace())
    reconcilers.workspaces.observe_build(build)
    reconcilers.jobs.observe_job(an_ended_job("dev-1", uid=build.job_uid, ttl=60), at(0))
    assert list(reconcilers.jobs.decide(at(60))) == []

    recorded = WorkspaceStatus(build_number=1, latest_build=build.record, last_run=build.record)
    reconcilers.workspaces.observe_workspace(a_workspace(resource_version=2, status=recorded))

    assert [type(each) for each in reconcilers.jobs.decide(at(60 + HELD_SECONDS))] == [Expire]


def test_a_history_keeps_the_job_of_a_workspace_until_the_workspaces_status_has_its_end() -> None:
    reconcilers = Reconcilers.create("image")
    build = a_build(phase=Phase.COMPLETED)
    queue = Queue(NAMESPACE, "default", "uid-of-queue", 1, 1, QueuePolicy(), history=HistoryLimits(completed=0))
    reconcilers.jobs.observe_queue(queue, at(0))
    reconcilers.workspaces.observe_workspace(a_workspace())
    reconcilers.workspaces.observe_build(build)
    reconcilers.jobs.observe_job(an_ended_job("dev-1", uid=build.job_uid), at(0))
    assert [each for each in reconcilers.jobs.decide(at(0)) if isinstance(each, Expire)] == []

    recorded = WorkspaceStatus(build_number=1, latest_build=build.record, last_run=build.record)
    reconcilers.workspaces.observe_workspace(a_workspace(resource_version=2, status=recorded))

    (expire,) = [each for each in reconcilers.jobs.decide(at(HELD_SECONDS)) if isinstance(each, Expire)]
    assert expire.job.name == "dev-1"


def decided(reconcilers: Reconcilers) -> list[tuple[str, str]]:
    """Return the jobs about which something is decided, with the decisions' kinds."""
    about = [each for each in reconcilers.jobs.decide(at(0)) if isinstance(each, Assign | Fail)]
    return [(type(each).__name__, each.job.name) for each in about]


def test_a_job_by_hand_of_another_users_workspace_fails_and_holds_up_none_of_the_owners() -> None:
    reconcilers = Reconcilers.create("image")
    reconcilers.workspaces.observe_workspace(a_workspace(owner="alice"))
    reconcilers.jobs.observe_daemon(a_daemon(), at(0))
    reconcilers.jobs.observe_job(a_job("foreign", workspace="dev", initiator="mallory"), at(0))
    reconcilers.jobs.observe_job(a_job("own", workspace="dev", initiator="alice", created=1), at(0))
    assert decided(reconcilers) == [("Fail", "foreign")]

    ended = a_job("foreign", workspace="dev", initiator="mallory", phase=Phase.FAILED, resource_version=2)
    reconcilers.jobs.observe_job(ended, at(0))

    assert decided(reconcilers) == [("Assign", "own")]


def test_a_job_by_hand_that_waits_when_another_user_creates_the_workspace_fails_then() -> None:
    reconcilers = Reconcilers.create("image")
    reconcilers.jobs.observe_job(a_job("early", workspace="dev", initiator="mallory"), at(0))
    assert decided(reconcilers) == []

    reconcilers.workspaces.observe_workspace(a_workspace(owner="alice"))
    reconcilers.jobs.workspace_changed((NAMESPACE, "dev"))

    assert decided(reconcilers) == [("Fail", "early")]


@pytest.mark.parametrize("waits", [True, False], ids=["waiting", "assigned"])
def test_a_plan_of_a_workspace_that_another_user_creates_meanwhile_fails_then(waits: bool) -> None:  # noqa: FBT001
    reconcilers = Reconcilers.create("image")
    make = a_job if waits else an_assigned_job
    if not waits:
        reconcilers.jobs.observe_daemon(a_daemon(), at(0))
    plan = make("early", workspace="dev", initiator="mallory", type=JobType.WORKSPACE_PLAN)
    reconcilers.jobs.observe_job(plan, at(0))
    assert decided(reconcilers) == []

    reconcilers.workspaces.observe_workspace(a_workspace(owner="alice"))
    reconcilers.jobs.workspace_changed((NAMESPACE, "dev"))

    assert decided(reconcilers) == [("Fail", "early")]


def test_a_plan_and_a_build_of_a_workspace_run_at_the_same_time() -> None:
    reconcilers = Reconcilers.create("image")
    reconcilers.jobs.observe_daemon(a_daemon(capacity=3), at(0))
    reconcilers.jobs.observe_job(a_job("dev-1", workspace="dev"), at(0))
    reconcilers.jobs.observe_job(a_job("dev-plan", workspace="dev", type=JobType.WORKSPACE_PLAN, created=1), at(0))
    reconcilers.jobs.observe_job(a_job("dev-2", workspace="dev", created=2), at(0))
    assert decided(reconcilers) == [("Assign", "dev-1"), ("Assign", "dev-plan")]


def test_the_name_of_a_deleted_workspace_belongs_to_nobody_until_another_takes_it() -> None:
    workspaces = Reconcilers.create("image").workspaces
    workspaces.observe_workspace(a_workspace(owner="alice"))
    assert workspaces.ownership_of((NAMESPACE, "dev")) == Ownership("alice")
    workspaces.observe_workspace(a_workspace(owner="bob", uid="another"))
    workspaces.workspace_deleted("uid-of-dev")
    assert workspaces.ownership_of((NAMESPACE, "dev")) == Ownership("bob")
    workspaces.workspace_deleted("another")
    assert workspaces.ownership_of((NAMESPACE, "dev")) is None


def test_a_workspace_that_cannot_be_parsed_is_its_owners_until_it_is_gone_or_another_takes_its_name() -> None:
    workspaces = Reconcilers.create("image").workspaces
    unreadable = UnreadableObject(NAMESPACE, "dev", "uid-of-unreadable", 1, owner="alice")
    workspaces.observe_unreadable_workspace(unreadable)
    assert workspaces.ownership_of((NAMESPACE, "dev")) == Ownership("alice", unreadable=True)
    workspaces.observe_workspace(a_workspace(owner="bob", uid="another", resource_version=2))
    assert workspaces.ownership_of((NAMESPACE, "dev")) == Ownership("bob")
    workspaces.workspace_deleted(unreadable.uid)
    workspaces.workspace_deleted("another")
    workspaces.observe_unreadable_workspace(UnreadableObject(NAMESPACE, "dev", "third", 3))
    assert workspaces.ownership_of((NAMESPACE, "dev")) == Ownership(None, unreadable=True)
    workspaces.workspace_deleted("third")
    assert workspaces.ownership_of((NAMESPACE, "dev")) is None

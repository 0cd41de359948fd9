"""The three reconcilers together: what they share, and when the first of them has to decide."""

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.core.jobs.decisions import Expire
from provisioner_operator.core.reconcilers.jobs import HELD_SECONDS
from provisioner_operator.core.reconcilers.reconcilers import Reconcilers
from provisioner_operator.core.workspaces.records import WorkspaceStatus
from support.builders.core import an_ended_job, at
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

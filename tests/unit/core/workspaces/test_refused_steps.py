"""Steps of a workspace that the API server refused."""

from dataclasses import replace

import pytest

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.core.workspaces.decisions import FindBuilds, HoldWorkspace, UpdateWorkspaceStatus
from provisioner_operator.core.workspaces.records import Build, Workspace, WorkspaceStatus
from provisioner_operator.core.workspaces.refused_step import RefusedStep
from support.builders.build_plans import decided, planned, ready_reason, reported
from support.builders.workspaces import a_build, a_workspace


def test_a_refusal_of_the_api_server_is_reported() -> None:
    status = reported(a_workspace(), refused=RefusedStep("CreateBuild", "the quota is used up"))

    assert ready_reason(status) == "BuildRefused"


@pytest.mark.parametrize("deleting", [False, True])
def test_a_workspace_in_a_namespace_that_is_going_says_at_once_what_to_do(deleting: bool) -> None:  # noqa: FBT001 - a column
    words = "unable to create new content in namespace acme because it is being terminated"
    workspace = a_workspace(deleting=deleting, rebuild_generation=1)

    status = reported(workspace, a_build(), refused=RefusedStep("CreateBuild", words))

    stalled = next(each for each in status.conditions if each.type == "Stalled")
    assert (stalled.status, stalled.reason) == ("True", "NamespaceTerminating")
    command = """kubectl -n acme patch ws dev --type merge -p '{"spec":{"deletionPolicy":"Orphan"}}'"""
    assert stalled.message.count("Orphan") == 1
    assert command in stalled.message


@pytest.mark.parametrize(
    ("workspace", "builds", "kind"),
    [
        (a_workspace(finalizers=()), (), "HoldWorkspace"),
        (a_workspace(rebuild_generation=1), (a_build(1, phase=Phase.PENDING),), "Supersede"),
        (a_workspace(deleting=True), (), "ReleaseWorkspace"),
    ],
)
def test_a_step_that_is_refused_is_not_made_again_yet_and_the_status_says_why(
    workspace: Workspace, builds: tuple[Build, ...], kind: str
) -> None:
    assert type(decided(workspace, *builds)).__name__ == kind
    status = reported(workspace, *builds, refused=RefusedStep(kind, "a policy says no"))
    assert ready_reason(status) == "WriteRefused"
    assert "a policy says no." in next(each.message for each in status.conditions if each.type == "Stalled")
    quiet = decided(workspace, *builds, refused=RefusedStep(kind, "etcd", transient=True))
    assert not isinstance(quiet, UpdateWorkspaceStatus) or ready_reason(quiet.status) != "WriteRefused"


def test_a_refused_step_holds_back_no_other() -> None:
    held = a_workspace(finalizers=())
    assert isinstance(decided(held, refused=RefusedStep("Supersede", "no")), HoldWorkspace)


def test_a_workspace_whose_jobs_cannot_be_listed_says_so() -> None:
    running = a_build(1, phase=Phase.RUNNING).record
    workspace = a_workspace(status=WorkspaceStatus(latest_build=running, last_run=running, build_number=1))
    assert isinstance(decided(workspace, searched=False), FindBuilds)
    refused = RefusedStep("FindBuilds", "no right to list")
    assert planned(workspace, searched=False, refused=refused).delay == 0, "though its build is under way"
    status = reported(workspace, searched=False, refused=refused)
    assert ready_reason(status) == "WriteRefused"
    assert status.latest_build == running
    current = replace(workspace, status=status)
    assert decided(current, searched=False, refused=refused) is None

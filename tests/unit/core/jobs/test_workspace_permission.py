"""A job of a Workspace that exists is its owner's, or made in the owner's name."""

from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import EndReason, JobType
from provisioner_operator.core.jobs.decisions import Fail
from provisioner_operator.core.jobs.evaluation import Context, evaluate
from provisioner_operator.core.jobs.workspace_permission import Ownership, lacks_approval, may_change_workspace
from provisioner_operator.core.model.records import Job
from support.builders.core import a_job, a_running_job, an_assigned_job, at


@pytest.mark.parametrize(
    ("fields", "owner", "may"),
    [
        ({"initiator": "mallory"}, "alice", False),
        ({}, "alice", False),
        ({"initiator": "mallory", "workspace_owner": "mallory"}, "alice", False),
        ({"initiator": "alice"}, "alice", True),
        ({"initiator": "admin", "workspace_owner": "alice"}, "alice", True),
        ({"initiator": "admin", "builds_workspace": True}, "alice", True),
        ({"initiator": "mallory"}, None, True),
        ({"initiator": "mallory"}, "", True),
    ],
    ids=str,
)
def test_a_job_changes_only_its_users_workspace(fields: dict[str, Any], owner: str | None, *, may: bool) -> None:
    assert may_change_workspace(a_job(workspace="dev", **fields), Ownership(owner)) is may


@pytest.mark.parametrize(
    "job", [a_job(workspace="dev"), a_job(workspace="dev", suspend=True), an_assigned_job(workspace="dev")]
)
def test_a_pending_job_of_another_users_workspace_fails_at_once_and_says_whose_it_is(job: Job) -> None:
    decision = evaluate(job, Context(workspace=Ownership("alice")), at(0)).decision

    assert isinstance(decision, Fail)
    assert decision.reason is EndReason.NOT_WORKSPACE_OWNER
    assert 'Workspace dev belongs to "alice"' in decision.message


@pytest.mark.parametrize(
    ("fields", "owner", "may"),
    [
        ({"initiator": "mallory"}, None, False),
        ({}, None, False),
        ({"initiator": "mallory"}, "alice", False),
        ({"initiator": "alice"}, "alice", True),
        ({"builds_workspace": True}, None, True),
    ],
    ids=str,
)
def test_a_workspace_that_cannot_be_parsed_is_changed_only_by_its_owner(
    fields: dict[str, Any], owner: str | None, *, may: bool
) -> None:
    assert may_change_workspace(a_job(workspace="dev", **fields), Ownership(owner, unreadable=True)) is may


def test_a_job_of_a_workspace_of_which_no_owner_can_be_read_fails_and_says_why() -> None:
    decision = evaluate(a_job(workspace="dev"), Context(workspace=Ownership(None, unreadable=True)), at(0)).decision

    assert isinstance(decision, Fail)
    assert decision.reason is EndReason.NOT_WORKSPACE_OWNER
    assert "Workspace dev cannot be parsed and names no owner" in decision.message


def test_a_job_that_runs_already_is_not_ended_for_it() -> None:
    assert evaluate(a_running_job(workspace="dev"), Context(workspace=Ownership("alice")), at(0)).decision is None


@pytest.mark.parametrize(
    ("fields", "lacks"),
    [
        ({"builds_workspace": True, "plan_digest": "approved"}, False),
        ({"builds_workspace": True, "plan_digest": "another"}, True),
        ({"builds_workspace": True}, True),
        ({"plan_digest": "approved"}, True),
        ({"type": JobType.WORKSPACE_PLAN}, False),
    ],
    ids=str,
)
def test_what_requires_approval_is_built_only_by_its_approved_plan(fields: dict[str, Any], *, lacks: bool) -> None:
    job = a_job(workspace="dev", **fields)

    assert lacks_approval(job, Ownership(None, needs_approval=True, approved="approved")) is lacks
    assert not lacks_approval(job, Ownership(None))


@pytest.mark.parametrize(
    ("job", "says"),
    [
        (a_job(workspace="dev"), "no job that is submitted directly may build it"),
        (
            an_assigned_job(workspace="dev", builds_workspace=True),
            "the plan of this one is not, or no longer, approved",
        ),
    ],
)
def test_a_build_without_approval_fails_at_once_and_says_why(job: Job, says: str) -> None:
    decision = evaluate(job, Context(workspace=Ownership(None, needs_approval=True)), at(0)).decision

    assert isinstance(decision, Fail)
    assert decision.reason is EndReason.APPROVAL_REQUIRED
    assert says in decision.message

"""Reasons for which a job cannot be suspended or retried: those for which the API server would refuse it."""

import asyncio
from typing import Any, cast

import pytest

from provisioner_operator.api.v1alpha1.names import JOBS, TEMPLATES, WORKSPACES
from provisioner_operator.web.access.caller import Caller, Question, User
from provisioner_operator.web.page.jobs.rights import JobRights, Right, job_rights, retry_denial, suspend_denial
from support.builders.core import NAMESPACE

SUBMITTER: tuple[Right, ...] = (("patch", JOBS), ("create", JOBS), ("patch", WORKSPACES))
ADMIN: tuple[Right, ...] = (
    *SUBMITTER,
    ("cancel", JOBS),
    ("delete", JOBS),
    ("impersonate", JOBS),
    ("impersonate", WORKSPACES),
    ("patch", TEMPLATES),
)
BY_HAND: dict[str, Any] = {"initiator": "bob"}
OF_A_WORKSPACE: dict[str, Any] = {"workspaceRef": {"name": "dev", "uid": "w", "owner": "bob"}}
IMPORT: dict[str, Any] = {"templateRef": {"name": "docker", "uid": "t"}, "initiator": "ada"}


def ada(*held: Right) -> JobRights:
    return JobRights("ada", NAMESPACE, frozenset(held))


@pytest.mark.parametrize(
    ("held", "spec", "missing", "role"),
    [
        ((), {"initiator": "ada"}, "patch", "submitter"),
        ((), BY_HAND, "patch", "admin"),
        (SUBMITTER, BY_HAND, "cancel", "admin"),
        (SUBMITTER, {}, "cancel", "admin"),
        (SUBMITTER, OF_A_WORKSPACE, "cancel", "admin"),
    ],
)
def test_a_suspend_names_the_missing_verb(
    held: tuple[Right, ...], spec: dict[str, Any], missing: str, role: str
) -> None:
    denial = suspend_denial(spec, ada(*held))
    assert f"you lack the verb {missing} on {JOBS}. The ClusterRole provisioner-{role} grants it" in denial


@pytest.mark.parametrize(
    ("held", "spec"),
    [
        (ADMIN, BY_HAND),
        ((("patch", JOBS), ("delete", JOBS)), BY_HAND),
        (SUBMITTER, {"initiator": "ada"}),
        (SUBMITTER, {"workspaceRef": {"name": "dev", "owner": "ada"}}),
    ],
)
def test_initiator_owner_and_admin_may_suspend(held: tuple[Right, ...], spec: dict[str, Any]) -> None:
    assert suspend_denial(spec, ada(*held)) == ""


@pytest.mark.parametrize(
    ("held", "spec", "missing", "resource", "role"),
    [
        ((), BY_HAND, "create", JOBS, "submitter"),
        (SUBMITTER, {"workspaceRef": {"name": "dev", "owner": "bob"}}, "impersonate", JOBS, "admin"),
        (SUBMITTER, {"tags": {"owner": "bob"}}, "impersonate", JOBS, "admin"),
        (SUBMITTER, {"ownerMayCancel": True}, "impersonate", JOBS, "admin"),
        ((), OF_A_WORKSPACE, "patch", WORKSPACES, "admin"),
        ((), {"workspaceRef": {"name": "dev", "uid": "w"}}, "patch", WORKSPACES, "submitter"),
        (SUBMITTER, OF_A_WORKSPACE, "impersonate", WORKSPACES, "admin"),
        (SUBMITTER, IMPORT, "patch", TEMPLATES, "admin"),
    ],
)
def test_a_retry_names_the_missing_verb(
    held: tuple[Right, ...], spec: dict[str, Any], missing: str, resource: str, role: str
) -> None:
    denial = retry_denial("dev-7", spec, ada(*held))
    assert f"you lack the verb {missing} on {resource}. The ClusterRole provisioner-{role} grants it" in denial


@pytest.mark.parametrize(
    ("held", "spec"),
    [
        (SUBMITTER, BY_HAND),
        (SUBMITTER, {"workspaceRef": {"name": "dev", "owner": "ada"}, "tags": {"owner": "ada"}}),
        (SUBMITTER, {"workspaceRef": {"name": "dev", "uid": "w", "owner": "ada"}}),
        *((ADMIN, spec) for spec in (BY_HAND, OF_A_WORKSPACE, IMPORT, {"tags": {"owner": "bob"}})),
    ],
)
def test_whoever_may_make_the_next_job_may_retry(held: tuple[Right, ...], spec: dict[str, Any]) -> None:
    assert retry_denial("dev-7", spec, ada(*held)) == ""


def test_a_viewer_costs_one_question_for_each_way_to_change_a_job() -> None:
    asked: list[Question] = []

    async def refuse(question: Question) -> bool:
        asked.append(question)
        return False

    caller = Caller(User("vic"), cast("Any", None), None, "vic", refuse, list)
    assert asyncio.run(job_rights(caller, NAMESPACE)) == JobRights("vic", NAMESPACE, frozenset())
    assert {(each.verb, each.resource) for each in asked} == {*SUBMITTER, ("patch", TEMPLATES)}
    assert {each.namespace for each in asked} == {NAMESPACE}

"""Decisions about templates and workspaces: the objects that they name, and what they write."""

from typing import Any

from provisioner_operator.core.model.decision import ObjectReference
from provisioner_operator.core.workspaces.decisions import (
    FindBuilds,
    ReadSource,
    UpdateTemplateStatus,
    UpdateWorkspaceStatus,
)
from provisioner_operator.core.workspaces.records import TemplateStatus, WorkspaceStatus
from support.builders.core import NAMESPACE
from support.builders.workspaces import DIGEST, a_plan, a_template, a_workspace


def test_a_decision_about_a_template_names_the_template() -> None:
    decision = ReadSource(a_template())

    assert decision.subject == "uid-of-template"
    assert decision.display_name == "acme/template"
    assert decision.regarding == ObjectReference("WorkspaceTemplate", NAMESPACE, "template", "uid-of-template")


def test_a_decision_about_a_workspace_names_the_workspace() -> None:
    decision = FindBuilds(a_workspace())

    assert decision.subject == "uid-of-dev"
    assert decision.display_name == "acme/dev"
    assert decision.regarding == ObjectReference("Workspace", NAMESPACE, "dev", "uid-of-dev")


def test_a_templates_status_is_replaced_if_the_template_is_unchanged() -> None:
    patch = UpdateTemplateStatus(a_template(resource_version=7), TemplateStatus(workspaces=2)).patch()
    ((path, status),) = patch.sets
    written: Any = status

    assert patch.tests == (("/metadata/uid", "uid-of-template"), ("/metadata/resourceVersion", "7"))
    assert (path, written["workspaces"]) == ("/status", 2)


def test_a_workspaces_status_is_replaced_if_the_workspace_is_unchanged() -> None:
    patch = UpdateWorkspaceStatus(a_workspace(resource_version=7), WorkspaceStatus(build_number=3)).patch()
    ((path, status),) = patch.sets
    written: Any = status

    assert patch.tests == (("/metadata/uid", "uid-of-dev"), ("/metadata/resourceVersion", "7"))
    assert (path, written["buildNumber"]) == ("/status", 3)
    assert "plan" not in written


def test_a_plan_is_reported_with_its_digest() -> None:
    plan = a_plan(4, message="A start would change no resource.", version=None).record
    ((_, status),) = UpdateWorkspaceStatus(a_workspace(), WorkspaceStatus(plan=plan)).patch().sets
    written: Any = status

    assert written["plan"] == {
        "number": 4,
        "job": "dev-4",
        "transition": "Start",
        "change": "change",
        "phase": "Completed",
        "message": "A start would change no resource.",
        "digest": DIGEST,
        "finishedAt": "2027-01-15T08:00:00.000000Z",
    }

"""Lists of workspaces before a template loses anything: one for each namespace and term of leadership, if one is due."""

from provisioner_operator.core.model.backoff import Refusal
from provisioner_operator.core.reconcilers.workspaces import WorkspaceReconciler
from provisioner_operator.core.workspaces.decisions import (
    FindWorkspaces,
    ReleaseTemplate,
    UpdateTemplateStatus,
    WorkspaceDecision,
)
from provisioner_operator.core.workspaces.records import Template
from support.builders.core import NAMESPACE, at
from support.builders.workspaces import a_template, a_workspace

DELETED = a_template(deleting=True)
OTHER = a_template(deleting=True, name="other", uid="uid-of-other")
ELSEWHERE = a_template(deleting=True, namespace="elsewhere", uid="uid-of-elsewhere")


def _decided(reconciler: WorkspaceReconciler, now: float = 0) -> list[WorkspaceDecision]:
    return list(reconciler.decide(at(now)))


def _observing(*templates: Template) -> WorkspaceReconciler:
    reconciler = WorkspaceReconciler()
    for each in templates or (DELETED,):
        reconciler.observe_template(each)
    return reconciler


def test_one_list_serves_all_templates_of_a_namespace() -> None:
    reconciler = _observing(DELETED, OTHER, ELSEWHERE)
    first, second = _decided(reconciler)
    assert (first, second) == (FindWorkspaces(DELETED), FindWorkspaces(ELSEWHERE))

    reconciler.workspaces_listed(NAMESPACE)
    reconciler.settled(first, at(0))

    assert _decided(reconciler) == [ReleaseTemplate(DELETED), ReleaseTemplate(OTHER)]


def test_a_workspace_that_the_list_shows_holds_its_template() -> None:
    reconciler = _observing()
    (search,) = _decided(reconciler)
    reconciler.observe_workspace(a_workspace())
    reconciler.workspaces_listed(NAMESPACE)
    reconciler.settled(search, at(0))

    assert not any(isinstance(each, FindWorkspaces | ReleaseTemplate) for each in _decided(reconciler))


def test_each_term_of_leadership_lists_again() -> None:
    reconciler = _observing()
    reconciler.workspaces_listed(NAMESPACE)

    reconciler.leadership_gained()

    assert _decided(reconciler) == [FindWorkspaces(DELETED)]


def test_a_list_that_failed_is_repeated_and_one_that_was_refused_after_a_pause() -> None:
    reconciler = _observing()
    (search,) = _decided(reconciler)
    reconciler.settled(search, at(0))
    assert _decided(reconciler) == [search]

    assert reconciler.refused(search, Refusal("Forbidden", "no right to list"), at(0))
    reconciler.settled(search, at(0))

    (status,) = _decided(reconciler)
    assert isinstance(status, UpdateTemplateStatus)
    assert "The workspaces that may use it cannot be listed: no right to list." in status.status.conditions[0].message
    reconciler.settled(status, at(0))
    assert search in _decided(reconciler, 1)

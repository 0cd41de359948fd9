"""Work that an event about one workspace or template causes for the others: none, unless it concerns them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.names import version_name
from provisioner_operator.core.reconcilers import workspace_entries
from provisioner_operator.core.reconcilers import workspaces as reconciler_module
from provisioner_operator.core.reconcilers.workspaces import WorkspaceReconciler
from provisioner_operator.core.workspaces.decisions import UpdateTemplateStatus
from provisioner_operator.core.workspaces.records import SourceFiles, Workspace, WorkspaceStatus
from provisioner_operator.core.workspaces.template_source import digest_of
from support.builders.core import at
from support.builders.workspaces import a_build, a_template, a_version, a_workspace


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of the templates and workspaces that are planned, in their order."""
    names: list[str] = []

    def noting(plan: Callable[..., Any]) -> Callable[..., Any]:
        def noted(subject: Any, *others: Any) -> Any:
            names.append(subject.name)
            return plan(subject, *others)

        return noted

    for name in ("plan_template", "plan_workspace"):
        monkeypatch.setattr(reconciler_module, name, noting(getattr(reconciler_module, name)))
    return names


def a_crowd() -> WorkspaceReconciler:
    """Observe three workspaces and their template, of which nothing is due any more."""
    cache = WorkspaceReconciler()
    for number in range(3):
        cache.observe_workspace(one_of_the_crowd(number))
    name = version_name("template", digest_of(a_template(), SourceFiles(a_template().files or {})))
    cache.observe_template(a_template(a_version(name), active=name))
    settle(cache)
    return cache


def one_of_the_crowd(number: int, **fields: Any) -> Workspace:
    return a_workspace(name=f"dev-{number}", uid=f"uid-of-dev-{number}", **fields)


def settle(cache: WorkspaceReconciler) -> None:
    """Carry out what is due of the template; decisions about workspaces stay under way."""
    while decisions := list(cache.decide(at(0))):
        for decision in decisions:
            if isinstance(decision, UpdateTemplateStatus):
                template = decision.template
                version = template.resource_version + 1
                cache.observe_template(replace(template, status=decision.status, resource_version=version))
                cache.settled(decision, at(0))


def test_an_event_about_a_workspace_does_not_plan_its_template(planned: list[str]) -> None:
    cache = a_crowd()
    planned.clear()

    cache.observe_workspace(one_of_the_crowd(1, resource_version=2))
    settle(cache)

    assert "template" not in planned


def test_a_template_is_planned_when_another_version_is_in_use_or_a_workspace_comes_or_goes(planned: list[str]) -> None:
    cache = a_crowd()
    later = WorkspaceStatus(latest_build=a_build(2).record, last_run=a_build(2).record)
    events: tuple[Callable[[], object], ...] = (
        lambda: cache.observe_workspace(one_of_the_crowd(1, resource_version=3, pinned_version="other")),
        lambda: cache.observe_workspace(one_of_the_crowd(7)),
        lambda: cache.observe_build(a_build(version="another", workspace_uid="uid-of-dev-7")),
        lambda: cache.observe_workspace(one_of_the_crowd(7, resource_version=2, status=later)),
        lambda: cache.workspace_deleted("uid-of-dev-7"),
    )
    for event in events:
        planned.clear()
        event()
        settle(cache)
        assert "template" in planned


def test_a_change_of_the_number_of_workspaces_queues_none_of_them() -> None:
    cache = a_crowd()
    (template,) = cache.templates()

    def queued_by(version: int, **status: Any) -> set[str]:
        changed = replace(template.status, **status)
        cache.observe_template(replace(template, resource_version=template.resource_version + version, status=changed))
        due = set(cache._work.ready(at(0).monotonic))  # noqa: SLF001 - they are planned, and nothing comes of it
        settle(cache)
        return due

    assert queued_by(1, workspaces=7) == {template.uid}
    assert len(queued_by(2, versions=(*template.status.versions, a_version("other")))) == 4


def test_a_source_is_digested_once_for_each_generation(monkeypatch: pytest.MonkeyPatch) -> None:
    digested: list[int] = []

    def noted(*of: Any) -> str:
        digested.append(of[0].generation)
        return digest_of(*of)

    monkeypatch.setattr(workspace_entries, "digest_of", noted)
    cache, template = WorkspaceReconciler(), a_template()
    for version, generation in ((1, 1), (2, 1), (3, 1), (4, 2), (5, 2)):
        cache.observe_template(replace(template, resource_version=version, generation=generation))
        for decision in list(cache.decide(at(version))):
            cache.settled(decision, at(version))

    assert digested == [1, 2]

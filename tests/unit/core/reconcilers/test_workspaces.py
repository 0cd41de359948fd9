"""Templates and workspaces over time: one decision at a time, pauses after refusals, and delays of statuses."""

from dataclasses import replace

import pytest

from provisioner_operator.api.v1alpha1.enums import Phase, VersionPhase, WorkspaceReason
from provisioner_operator.api.v1alpha1.names import version_name
from provisioner_operator.core.model.backoff import Refusal
from provisioner_operator.core.model.records import UnreadableObject
from provisioner_operator.core.reconcilers.workspaces import WorkspaceReconciler
from provisioner_operator.core.workspaces.decisions import (
    CreateBuild,
    DiscardVersion,
    FindImport,
    ImportVersion,
    KeepFiles,
    ReadSource,
    ReleaseTemplate,
    UpdateTemplateStatus,
    UpdateWorkspaceStatus,
    WorkspaceDecision,
)
from provisioner_operator.core.workspaces.records import SourceFiles, Template, TemplateStatus, Workspace
from provisioner_operator.core.workspaces.template_source import SOURCE_REREAD_SECONDS, digest_of
from support.builders.core import NAMESPACE, at
from support.builders.workspaces import a_build, a_template, a_version, a_workspace, an_import

NO = Refusal("Forbidden", "a policy says no")


class Observed:
    """A reconciler that observes what its own writes change."""

    def __init__(self, *objects: Template | Workspace) -> None:
        self.reconciler = WorkspaceReconciler()
        self.reconciler.workspaces_listed(NAMESPACE)
        for each in objects:
            self.see(each)

    def see(self, observed: Template | Workspace) -> None:
        if isinstance(observed, Template):
            self.reconciler.observe_template(observed)
        else:
            self.reconciler.observe_workspace(observed)
            self.reconciler.workspace_checked(observed.uid)

    def decided(self, now: float = 0) -> list[WorkspaceDecision]:
        return list(self.reconciler.decide(at(now)))

    def about(self, uid: str, now: float = 0) -> WorkspaceDecision:
        """The one decision about the object; those about others come to nothing."""
        decisions = self.decided(now)
        for each in decisions:
            if each.subject != uid:
                self.reconciler.settled(each, at(now))
        (found,) = [each for each in decisions if each.subject == uid]
        return found

    def refuse(self, decision: WorkspaceDecision, now: float = 0) -> bool:
        is_news = self.reconciler.refused(decision, NO, at(now))
        self.reconciler.settled(decision, at(now))
        return is_news

    def accept(self, decision: WorkspaceDecision, now: float = 0) -> None:
        """The write succeeded; a status that was written is observed."""
        self.reconciler.accepted(decision)
        if isinstance(decision, UpdateWorkspaceStatus):
            workspace = decision.workspace
            version = workspace.resource_version + 1
            self.see(replace(workspace, status=decision.status, resource_version=version))
        if isinstance(decision, UpdateTemplateStatus):
            template = decision.template
            version = template.resource_version + 1
            self.see(replace(template, status=decision.status, resource_version=version))
        self.reconciler.settled(decision, at(now))


def settled_template() -> tuple[Observed, Template]:
    """A reconciler that brought a new template to where nothing more is due for it, and the template."""
    world = Observed(a_template(status=TemplateStatus()))
    (keep,) = world.decided()
    assert isinstance(keep, KeepFiles)
    world.reconciler.files_kept(keep.template, keep.version)
    world.accept(keep)
    (imports,) = world.decided()
    assert isinstance(imports, ImportVersion)
    name = imports.version.name
    world.reconciler.observe_import(an_import(name, job=imports.version.import_job))
    world.accept(imports)
    (status,) = world.decided()
    assert isinstance(status, UpdateTemplateStatus)
    world.accept(status)
    assert world.decided() == []
    (template,) = world.reconciler.templates()
    assert template.status.active_version == name
    return world, template


def test_a_decision_is_made_once_until_it_is_settled() -> None:
    world, _ = settled_template()
    world.see(a_workspace())
    create = world.about("uid-of-dev")
    assert isinstance(create, CreateBuild)
    assert world.reconciler.next_wake() is not None  # to count the template's workspaces

    world.see(a_workspace(resource_version=2))
    assert not any(each.subject == "uid-of-dev" for each in world.decided())
    world.reconciler.settled(create, at(0))

    assert isinstance(world.about("uid-of-dev"), CreateBuild)


def test_a_refused_step_is_reported_and_made_again_after_its_pause() -> None:
    world, _ = settled_template()
    world.see(a_workspace())
    create = world.about("uid-of-dev")
    assert world.refuse(create)
    report = world.about("uid-of-dev")
    assert isinstance(report, UpdateWorkspaceStatus)
    ready = next(each for each in report.status.conditions if each.type == "Ready")
    assert ready.reason == WorkspaceReason.BUILD_REFUSED
    world.accept(report)
    assert world.decided(0.9) == []
    assert world.reconciler.next_wake() == at(1).monotonic

    again = world.about("uid-of-dev", 1)

    assert isinstance(again, CreateBuild)
    assert not world.refuse(again, 1)  # no news, and a longer pause
    assert not any(isinstance(each, CreateBuild) for each in world.decided(2.9))
    assert isinstance(world.about("uid-of-dev", 3), CreateBuild)


def test_the_pause_starts_over_after_a_step_that_was_accepted() -> None:
    world, _ = settled_template()
    world.see(a_workspace())
    create = world.about("uid-of-dev")
    world.refuse(create)

    world.accept(create)

    assert world.refuse(create)


def test_a_change_of_what_is_built_ends_the_pause_and_a_change_of_nothing_does_not() -> None:
    world, template = settled_template()
    world.see(a_workspace())
    world.refuse(world.about("uid-of-dev"))
    world.accept(world.about("uid-of-dev"))  # the report of the refusal
    unchanged = replace(template, resource_version=template.resource_version + 1)
    world.see(unchanged)
    recounted = replace(template.status, workspaces=7)
    unchanged = replace(unchanged, status=recounted, resource_version=unchanged.resource_version + 1)
    world.see(unchanged)
    assert not any(each.subject == "uid-of-dev" for each in world.decided(0.1))

    world.see(replace(unchanged, generation=2, priority=3, resource_version=unchanged.resource_version + 1))

    assert isinstance(world.about("uid-of-dev", 0.2), CreateBuild)


@pytest.mark.parametrize(
    ("others", "new"),
    [((a_template(),), a_workspace()), ((), a_template(status=TemplateStatus()))],
    ids=["workspace", "template"],
)
def test_a_change_of_its_own_spec_ends_the_pauses_of_an_object(
    others: tuple[Template, ...], new: Workspace | Template
) -> None:
    world = Observed(*others, new)
    step = world.about(new.uid)
    assert isinstance(step, CreateBuild | KeepFiles)
    world.refuse(step)
    world.refuse(world.about(new.uid))  # the report of the refusal

    world.see(replace(new, resource_version=2))
    assert not any(each.subject == new.uid for each in world.decided(0.1))

    world.see(replace(new, resource_version=3, generation=2))
    again = world.about(new.uid, 0.2)
    assert type(again) is type(step)
    assert world.refuse(again, 0.2), "it is news again"
    assert isinstance(world.about(new.uid, 0.2), UpdateWorkspaceStatus | UpdateTemplateStatus)


def test_a_refused_status_is_written_again_after_its_pause_and_holds_back_no_step() -> None:
    world = Observed(a_workspace())
    report = world.about("uid-of-dev")
    assert isinstance(report, UpdateWorkspaceStatus)
    assert world.refuse(report)
    assert world.decided(0.9) == []
    assert isinstance(world.about("uid-of-dev", 1), UpdateWorkspaceStatus)
    assert not world.refuse(report, 1)

    world.see(a_template())

    assert isinstance(world.about("uid-of-dev", 1), CreateBuild)


def test_the_pause_of_statuses_starts_over_after_one_that_was_accepted() -> None:
    world = Observed(a_workspace())
    report = world.about("uid-of-dev")
    world.refuse(report)

    world.reconciler.accepted(report)

    assert world.refuse(report)


def test_answers_about_what_is_gone_are_no_news() -> None:
    world = Observed(a_workspace(), a_template())
    decisions = world.decided()
    assert {each.subject for each in decisions} == {"uid-of-dev", "uid-of-template"}
    world.reconciler.workspace_deleted("uid-of-dev")
    world.reconciler.template_deleted("uid-of-template")

    for each in decisions:
        assert not world.refuse(each)
        world.accept(each)

    assert world.decided(10) == []


def test_the_status_waits_a_little_while_a_build_is_about_to_change() -> None:
    world, template = settled_template()
    world.see(a_workspace())
    create = world.about("uid-of-dev")
    assert isinstance(create, CreateBuild)
    waiting = a_build(phase=Phase.PENDING, change=create.change, version=create.version.name)
    world.reconciler.observe_build(waiting)
    world.reconciler.settled(create, at(0))
    assert not any(each.subject == "uid-of-dev" for each in world.decided(0))
    assert not any(each.subject == "uid-of-dev" for each in world.decided(1.9))
    status = world.about("uid-of-dev", 2)
    assert isinstance(status, UpdateWorkspaceStatus)
    world.accept(status, 2)

    running = a_build(phase=Phase.RUNNING, change=create.change, version=template.status.active_version)
    world.reconciler.observe_build(replace(running, resource_version=2))
    assert not any(each.subject == "uid-of-dev" for each in world.decided(3))
    status = world.about("uid-of-dev", 4)

    assert isinstance(status, UpdateWorkspaceStatus)
    assert status.status.latest_build == running.record


def test_a_template_from_a_config_map_is_kept_as_read_and_read_again_in_time() -> None:
    template = a_template(files=None, config_map="source", status=TemplateStatus())
    world = Observed(template)
    read = world.about(template.uid)
    assert read == ReadSource(template)
    files = SourceFiles({"main.tf": "x"})
    world.reconciler.source_read(template, files, at(0))
    world.accept(read)
    keep = world.about(template.uid)
    assert isinstance(keep, KeepFiles)
    assert keep.files == files
    world.reconciler.files_kept(template, keep.version)
    world.accept(keep)
    imports = world.about(template.uid)
    assert isinstance(imports, ImportVersion)
    world.reconciler.observe_import(an_import(imports.version.name, phase=Phase.RUNNING))
    world.accept(imports)
    world.accept(world.about(template.uid))
    assert world.decided() == []

    assert world.reconciler.next_wake() == at(SOURCE_REREAD_SECONDS).monotonic


def test_the_import_of_a_version_that_the_status_has_is_found_or_made_again() -> None:
    name = version_name("template", digest_of(a_template(), SourceFiles(a_template().files or {})))
    importing = a_version(name, phase=VersionPhase.IMPORTING)
    template = a_template(importing, active=None)
    world = Observed(template)
    find = world.about(template.uid)
    assert find == FindImport(template, importing)

    world.reconciler.import_missing(template, name)
    world.accept(find)

    assert world.about(template.uid) == ImportVersion(template, importing)


def test_the_files_of_an_old_version_are_discarded_once_and_not_those_of_one_in_use() -> None:
    world, template = settled_template()
    old = [a_version(name, superseded=1.0) for name in ("template-old", "template-used")]
    status = replace(template.status, versions=(*old, *template.status.versions))
    world.see(a_workspace(pinned_version="template-used"))
    world.see(replace(template, status=status, resource_version=template.resource_version + 1))

    discard = world.about(template.uid)
    assert isinstance(discard, DiscardVersion)
    assert discard.version == "template-old"
    world.reconciler.files_discarded(discard.template, discard.version)
    world.accept(discard)
    written = world.about(template.uid)

    assert isinstance(written, UpdateTemplateStatus)
    names = [each.name for each in written.status.versions]
    assert (names[0], len(names)) == ("template-used", 2)


def test_what_requests_found_out_about_an_unknown_template_is_nobodys() -> None:
    template = a_template(status=TemplateStatus())
    world = Observed()
    world.reconciler.source_read(template, SourceFiles(), at(0))
    world.reconciler.files_kept(template, "template-1")
    world.reconciler.files_discarded(template, "template-1")
    world.reconciler.import_missing(template, "template-1")
    assert world.decided() == []

    world.see(template)

    assert isinstance(world.about(template.uid), KeepFiles)


def test_a_workspace_that_cannot_be_parsed_holds_the_templates_of_its_namespace_until_it_is_gone() -> None:
    observed = Observed(a_template(deleting=True))
    unreadable = UnreadableObject(NAMESPACE, "later", "uid-of-later", 2)
    observed.reconciler.observe_unreadable_workspace(unreadable)
    observed.reconciler.observe_unreadable_workspace(UnreadableObject("elsewhere", "other", "uid-of-other", 2))
    (in_use,) = observed.decided()
    assert isinstance(in_use, UpdateTemplateStatus)
    observed.reconciler.settled(in_use, at(0))
    observed.reconciler.workspace_deleted(unreadable.uid)

    observed.reconciler.observe_unreadable_workspace(unreadable)  # an answer that comes late

    assert [type(each) for each in observed.decided()] == [ReleaseTemplate]
    assert [each.uid for each in observed.reconciler.unreadable_workspaces()] == ["uid-of-other"]


def test_a_workspace_that_can_be_parsed_again_counts_for_its_template_alone() -> None:
    observed = Observed(a_template(deleting=True))
    workspace = a_workspace(template="another")
    observed.reconciler.observe_unreadable_workspace(UnreadableObject(NAMESPACE, workspace.name, workspace.uid, 1))

    observed.see(replace(workspace, resource_version=2))

    assert isinstance(observed.about("uid-of-template"), ReleaseTemplate)


@pytest.mark.parametrize("version", [10, 11])
def test_a_state_that_is_not_later_and_cannot_be_parsed_does_not_hold_up_a_workspace(version: int) -> None:
    observed = Observed(a_template(), a_workspace(resource_version=11))

    observed.reconciler.observe_unreadable_workspace(UnreadableObject(NAMESPACE, "dev", "uid-of-dev", version))

    assert list(observed.reconciler.unreadable_workspaces()) == []
    assert isinstance(observed.about("uid-of-dev"), CreateBuild)


def test_a_late_answer_from_before_a_workspace_could_not_be_parsed_leaves_it_alone() -> None:
    observed = Observed(a_template(deleting=True), a_workspace(template="another"))
    unreadable = UnreadableObject(NAMESPACE, "dev", "uid-of-dev", 10)
    observed.reconciler.observe_unreadable_workspace(unreadable)

    assert not observed.reconciler.observe_workspace(a_workspace(template="another", resource_version=9))

    assert list(observed.reconciler.unreadable_workspaces()) == [unreadable]

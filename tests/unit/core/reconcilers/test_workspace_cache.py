"""Reports of workspaces, templates and their jobs that come late, out of order or twice, and what is kept of them."""

from dataclasses import replace

import pytest

from provisioner_operator.api.v1alpha1.enums import Phase, VersionPhase
from provisioner_operator.api.v1alpha1.names import version_name
from provisioner_operator.core.model import gone_objects
from provisioner_operator.core.reconcilers.workspaces import WorkspaceReconciler
from provisioner_operator.core.workspaces.decisions import (
    CheckWorkspace,
    CreateBuild,
    DiscardVersion,
    FindBuilds,
    UpdateWorkspaceStatus,
    WorkspaceDecision,
)
from provisioner_operator.core.workspaces.records import (
    Build,
    Import,
    SourceFiles,
    Template,
    Workspace,
    WorkspaceStatus,
)
from provisioner_operator.core.workspaces.template_source import digest_of
from support.builders.build_plans import SIZE, wanted_change
from support.builders.core import NAMESPACE, NOON, at
from support.builders.workspaces import VERSION, a_build, a_template, a_version, a_workspace, an_import

Observed = Template | Workspace | Build | Import
RUNNING_BUILD = a_build(phase=Phase.RUNNING, resource_version=2)
RUNNING_IMPORT = an_import(phase=Phase.RUNNING, resource_version=2)


def observe(cache: WorkspaceReconciler, *objects: Observed) -> bool:
    """Report the objects; return whether all of them are news."""
    news = []
    for each in objects:
        match each:
            case Template():
                news.append(cache.observe_template(each))
            case Workspace():
                news.append(cache.observe_workspace(each))
                cache.workspace_checked(each.uid)
            case Build():
                news.append(cache.observe_build(each))
            case Import():
                news.append(cache.observe_import(each))
    return all(news)


def observing(*objects: Observed) -> WorkspaceReconciler:
    """A reconciler that has observed these."""
    cache = WorkspaceReconciler()
    cache.workspaces_listed(NAMESPACE)
    assert observe(cache, *objects)
    return cache


def decided(cache: WorkspaceReconciler) -> dict[str, WorkspaceDecision]:
    """Decisions that are due, by the uid of their object."""
    return {each.subject: each for each in cache.decide(at(0))}


def cache_of_builds(cache: WorkspaceReconciler) -> set[int]:
    """Numbers of the builds of the workspace that are kept."""
    return set(cache._workspaces["uid-of-dev"].builds)  # noqa: SLF001 - memory has no interface


def recorded(build: Build, **fields: object) -> Workspace:
    """The workspace whose status has this build as the latest and as the last run."""
    status = WorkspaceStatus(build_number=build.record.number, latest_build=build.record, last_run=build.record)
    return a_workspace(**({"resource_version": 2, "status": status} | fields))


def test_nothing_is_kept_of_a_deleted_workspace() -> None:
    cache = observing(a_workspace(), RUNNING_BUILD)
    assert cache._jobs  # noqa: SLF001 - memory has no interface
    cache.workspace_deleted("uid-of-dev")
    assert not cache._jobs  # noqa: SLF001
    assert not cache._workspaces  # noqa: SLF001


@pytest.mark.parametrize(
    "known",
    [a_template(resource_version=2), a_workspace(resource_version=2), RUNNING_BUILD, RUNNING_IMPORT],
    ids=lambda known: type(known).__name__,
)
def test_only_a_later_version_is_news(known: Observed) -> None:
    cache = observing(known)

    assert not observe(cache, known)
    assert not observe(cache, replace(known, resource_version=1))
    assert observe(cache, replace(known, resource_version=3))


def test_a_late_answer_does_not_revive_what_was_deleted() -> None:
    cache = observing(a_template(), a_workspace())
    cache.template_deleted("uid-of-template")
    cache.workspace_deleted("uid-of-dev")

    assert not observe(cache, a_template(resource_version=9))
    assert not observe(cache, a_workspace(resource_version=9))

    assert (list(cache.templates()), list(cache.workspaces())) == ([], [])
    assert decided(cache) == {}


def test_an_answer_about_a_job_that_was_deleted_meanwhile_does_not_bring_it_back() -> None:
    cache = observing(a_template(), a_workspace())
    build, imported = a_build(phase=Phase.PENDING), an_import(phase=Phase.RUNNING)
    observe(cache, build)
    observe(cache, imported)
    cache.job_deleted(build.job_uid)
    cache.job_deleted(imported.job_uid)

    assert not observe(cache, replace(build, resource_version=9))
    assert not observe(cache, replace(imported, resource_version=9))

    assert cache.unfinished_jobs() == {}


def test_only_the_last_deletions_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gone_objects, "MOST_REMEMBERED", 2)
    cache = observing()
    for uid in ("a", "b", "c"):
        cache.workspace_deleted(uid)

    assert [uid for uid in "abc" if not observe(cache, a_workspace(uid=uid))] == ["b", "c"]


def test_what_exists_is_listed_as_last_observed() -> None:
    template, workspace = a_template(), a_workspace(resource_version=2)
    cache = observing(
        template, a_workspace(), workspace, RUNNING_BUILD, a_build(workspace_uid="unknown", phase=Phase.PENDING)
    )
    observe(cache, an_import(template_uid="unknown", phase=Phase.RUNNING))

    assert list(cache.templates()) == [template]
    assert list(cache.workspaces()) == [workspace]


def test_what_was_made_and_has_not_ended_is_known_so_that_a_list_can_miss_it() -> None:
    cache = WorkspaceReconciler()
    cache.observe_template(a_template())
    cache.observe_workspace(a_workspace())
    ended, waiting, importing = a_build(1), a_build(2, phase=Phase.PENDING), an_import(phase=Phase.RUNNING)
    cache.observe_import(an_import("imported", phase=Phase.COMPLETED))
    cache.import_missing(a_template(), "missing")
    cache.observe_build(ended)
    cache.observe_build(waiting)
    cache.observe_import(importing)

    assert cache.unfinished_jobs() == {
        waiting.job_uid: (waiting.namespace, waiting.record.job),
        importing.job_uid: (importing.namespace, importing.job),
    }
    cache.job_deleted(waiting.job_uid)
    cache.job_deleted(importing.job_uid)
    assert cache.unfinished_jobs() == {}


def test_unfinished_jobs_are_known_before_their_workspace_and_template_until_they_are_deleted() -> None:
    cache = observing(RUNNING_BUILD, RUNNING_IMPORT)
    assert cache.unfinished_jobs().keys() == {RUNNING_BUILD.job_uid, RUNNING_IMPORT.job_uid}
    assert decided(cache) == {}

    cache.job_deleted(RUNNING_BUILD.job_uid)
    cache.job_deleted(RUNNING_IMPORT.job_uid)

    assert cache.unfinished_jobs() == {}
    assert decided(cache) == {}


@pytest.mark.parametrize("phase", [Phase.PENDING, Phase.RUNNING, Phase.COMPLETED])
def test_a_deleted_job_is_kept_until_the_status_records_what_became_of_its_build(phase: Phase) -> None:
    workspace = a_workspace(parameters=(("size", "2"),))
    build = a_build(phase=phase, change=wanted_change(workspace), parameters=workspace.parameters)
    cache = observing(a_template(parameters=(SIZE,)), workspace, build)
    cache.job_deleted(build.job_uid)

    assert not cache.holds(build.job_uid)
    report = decided(cache)["uid-of-dev"]
    assert isinstance(report, UpdateWorkspaceStatus)
    assert report.status.last_run == report.status.latest_build == build.record.vanished()
    assert report.status.parameters == workspace.parameters
    assert cache_of_builds(cache) == {1}

    assert observe(cache, a_workspace(resource_version=2, status=report.status))
    assert cache_of_builds(cache) == set()


def test_the_last_state_of_a_deleted_job_shows_whether_its_build_began() -> None:
    workspace = a_workspace()
    seen = a_build(phase=Phase.PENDING, change=wanted_change(workspace))
    for phase in (Phase.PENDING, Phase.RUNNING):
        last = a_build(phase=phase, change=seen.record.change, resource_version=5)
        cache = observing(a_template(), workspace, seen)
        cache.build_deleted(replace(last, workspace_uid="unknown"))
        cache.build_deleted(replace(last, job_uid="of a former job"))
        cache.build_deleted(last)
        cache.job_deleted(seen.job_uid)

        report = decided(cache)["uid-of-dev"]
        assert isinstance(report, UpdateWorkspaceStatus)
        assert report.status.latest_build == last.record.deleted()
        assert report.status.last_run == (last.record.deleted() if phase is Phase.RUNNING else None)


def test_of_a_deleted_job_whose_end_is_recorded_nothing_is_kept() -> None:
    ended = a_build(phase=Phase.FAILED)
    # The watch of the workspace is ahead of that of its job, or behind it; the latest build may be a later one.
    for latest in (ended.record, a_build(2, phase=Phase.PENDING).record):
        status = WorkspaceStatus(build_number=latest.number, latest_build=latest, last_run=ended.record)
        workspace = a_workspace(resource_version=2, status=status)
        ahead, behind = observing(a_workspace(), RUNNING_BUILD), observing(a_workspace(), RUNNING_BUILD)
        observe(ahead, workspace)
        ahead.job_deleted(RUNNING_BUILD.job_uid)
        behind.job_deleted(RUNNING_BUILD.job_uid)
        observe(behind, workspace)

        assert cache_of_builds(ahead) == cache_of_builds(behind) == set()


def test_ended_jobs_of_what_is_not_known_are_nobodys() -> None:
    cache = WorkspaceReconciler()

    assert not observe(cache, a_build())
    assert not observe(cache, an_import())

    assert not cache.holds(a_build().job_uid)
    assert not cache.holds(an_import().job_uid)


def test_jobs_are_forgotten_with_the_workspace_and_the_template_that_they_belong_to() -> None:
    for objects in ((), (a_workspace(), a_template())):
        cache = observing(*objects, RUNNING_BUILD, RUNNING_IMPORT)
        cache.import_missing(a_template(), "template-0")

        cache.workspace_deleted("uid-of-dev")
        cache.template_deleted("uid-of-template")
        cache.job_deleted(RUNNING_BUILD.job_uid)

        assert cache.unfinished_jobs() == {}
        assert decided(cache) == {}


def test_the_late_deletion_of_a_job_leaves_its_successor_of_the_same_name() -> None:
    build, job = replace(RUNNING_BUILD, job_uid="successor"), replace(RUNNING_IMPORT, job_uid="next")
    cache = observing(a_workspace(), a_template(), RUNNING_BUILD, RUNNING_IMPORT, build, job)

    cache.job_deleted(RUNNING_BUILD.job_uid)
    cache.job_deleted(RUNNING_IMPORT.job_uid)

    assert cache.unfinished_jobs().keys() == {"successor", "next"}


def test_old_news_of_a_build_whose_end_is_recorded_does_not_revive_it() -> None:
    cache = observing(recorded(a_build(2)))

    assert not observe(cache, a_build(2, phase=Phase.RUNNING))
    assert not observe(cache, a_build(1, phase=Phase.RUNNING))

    assert cache.unfinished_jobs() == {}
    assert observe(cache, a_build(3, phase=Phase.PENDING))


def test_a_job_may_be_deleted_after_its_workspace() -> None:
    cache = observing(a_workspace(), RUNNING_BUILD, replace(RUNNING_BUILD, job_uid="another"))
    cache.workspace_deleted("uid-of-dev")

    cache.job_deleted(RUNNING_BUILD.job_uid)

    assert decided(cache) == {}


def test_the_late_deletion_of_a_former_template_does_not_take_its_successors_name() -> None:
    cache = observing(a_template(uid="former"), a_template(uid="successor"), a_workspace())

    cache.template_deleted("former")

    build = decided(cache)["uid-of-dev"]
    assert isinstance(build, CreateBuild)
    assert build.template.uid == "successor"


def test_a_new_build_takes_the_next_number_that_nobody_has() -> None:
    cache = observing(a_template(), a_workspace())
    cache.number_taken(a_workspace(), 4)
    cache.builds_found(a_workspace(), 2)
    cache.number_taken(a_workspace(uid="unknown"), 9)
    cache.builds_found(a_workspace(uid="unknown"), 9)

    build = decided(cache)["uid-of-dev"]

    assert isinstance(build, CreateBuild)
    assert build.number == 5


def test_files_that_were_stored_again_can_be_discarded_again() -> None:
    files = SourceFiles({"main.tf": ""})
    old, active = (
        a_version("template-old", superseded=NOON),
        a_version(version_name("template", digest_of(a_template(), files))),
    )
    template = a_template(old, active, active=active.name, version_retention=100)
    cache = observing(template)

    def discarded() -> list[str]:
        decisions = list(cache.decide(at(100)))
        for each in decisions:
            cache.settled(each, at(100))
        return [each.version for each in decisions if isinstance(each, DiscardVersion)]

    assert discarded() == [old.name]
    cache.files_discarded(template, old.name)
    assert discarded() == []
    cache.files_kept(template, old.name)
    assert discarded() == [old.name]


def test_a_new_leader_stores_and_discards_files_again() -> None:
    cache = observing(a_template())
    cache.files_kept(a_template(), "template-1")
    cache.files_discarded(a_template(), "template-2")

    cache.leadership_gained()

    entry = cache._templates["uid-of-template"]  # noqa: SLF001 - decided only after several more steps
    assert (entry.kept, entry.discarded) == (set(), set())


def test_a_new_leader_reads_a_workspace_before_it_builds_it() -> None:
    cache = observing(a_template(), a_workspace())

    cache.leadership_gained()

    check = decided(cache)["uid-of-dev"]
    assert isinstance(check, CheckWorkspace)
    cache.workspace_checked("uid-of-dev")
    cache.workspace_checked("unknown")
    cache.settled(check, at(0))
    assert isinstance(decided(cache)["uid-of-dev"], CreateBuild)


def test_a_new_leader_lists_a_workspaces_jobs_before_it_believes_that_one_is_gone() -> None:
    cache = observing(a_template(), recorded(RUNNING_BUILD))
    cache.builds_found(a_workspace(), 1)

    cache.leadership_gained()

    assert isinstance(decided(cache)["uid-of-dev"], FindBuilds)


def test_the_end_of_a_build_is_held_until_the_workspaces_status_has_it() -> None:
    build = a_build()
    cache = observing(a_workspace(), build)
    assert cache.holds(build.job_uid)

    observe(cache, recorded(build))

    assert not cache.holds(build.job_uid)


@pytest.mark.parametrize(("phase", "held"), [(VersionPhase.IMPORTING, True), (VersionPhase.READY, False)], ids=str)
def test_the_end_of_an_import_is_held_until_the_templates_status_has_it(phase: VersionPhase, *, held: bool) -> None:
    job = an_import()
    cache = observing(a_template(a_version(VERSION, phase=phase)), job)

    assert cache.holds(job.job_uid) is held


def test_an_import_that_the_templates_status_has_is_forgotten() -> None:
    job = an_import()
    importing = a_template(a_version(VERSION, phase=VersionPhase.IMPORTING))
    cache = observing(importing, job, an_import("template-2", phase=Phase.RUNNING))
    assert cache.holds(job.job_uid)

    observe(cache, a_template(resource_version=2))

    assert not cache.holds(job.job_uid)
    assert cache.unfinished_jobs().keys() == {"uid-of-template-2-import"}


def test_the_import_of_an_unknown_template_or_of_a_version_nobody_asks_for_is_not_held() -> None:
    running = an_import("template-9", phase=Phase.RUNNING)
    cache = observing(running)
    assert not cache.holds(running.job_uid)

    observe(cache, a_template(), an_import("template-9", resource_version=2))

    assert not cache.holds(running.job_uid)


def test_a_deleted_workspace_or_an_unknown_template_leaves_the_other_workspaces_of_the_template_alone() -> None:
    cache = observing(a_workspace(), a_workspace(name="other", uid="uid-of-other"))
    decided(cache)
    cache.workspace_deleted("uid-of-dev")
    cache.template_deleted("unknown")
    cache.settled(UpdateWorkspaceStatus(a_workspace(uid="uid-of-other"), WorkspaceStatus()), at(0))

    observe(cache, a_template())

    assert isinstance(decided(cache)["uid-of-other"], CreateBuild)

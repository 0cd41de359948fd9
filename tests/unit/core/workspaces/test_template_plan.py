"""Single steps of a template."""

from dataclasses import replace
from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import ParameterType, Phase, VersionPhase
from provisioner_operator.api.v1alpha1.limits import MOST_VERSIONS, MOST_VERSIONS_IN_USE
from provisioner_operator.api.v1alpha1.names import version_name
from provisioner_operator.core.workspaces.decisions import (
    DiscardVersion,
    FindImport,
    HoldTemplate,
    ImportVersion,
    KeepFiles,
    ReadSource,
    ReleaseTemplate,
    TemplateDecision,
    UpdateTemplateStatus,
)
from provisioner_operator.core.workspaces.records import Parameter, SourceFiles, Template, TemplateStatus
from provisioner_operator.core.workspaces.refused_step import RefusedStep
from provisioner_operator.core.workspaces.template_plan import TemplateFacts, TemplatePlan, plan_template
from provisioner_operator.core.workspaces.template_source import (
    SOURCE_REREAD_SECONDS,
    SOURCE_RETRY_SECONDS,
    Reading,
    digest_of,
)
from support.builders.build_plans import SIZE
from support.builders.core import NOON, at
from support.builders.workspaces import a_template, a_version, an_import

NEW = TemplateStatus()


def _name(template: Template) -> str:
    files = SourceFiles(template.files) if template.files is not None else None
    return version_name(template.name, digest_of(template, files))


def _plan(template: Template, *, now: float = 0, **facts: Any) -> TemplatePlan:
    return plan_template(template, TemplateFacts(**facts), at(now))


def _decide(template: Template, **options: Any) -> TemplateDecision | None:
    return _plan(template, **options).decision


def _status(template: Template, **options: Any) -> TemplateStatus:
    decision = _decide(template, **options)
    assert isinstance(decision, UpdateTemplateStatus)
    return decision.status


def _says(status: TemplateStatus, condition: str = "Ready") -> tuple[str, str]:
    found = next(each for each in status.conditions if each.type == condition)
    return found.status, found.reason


def _imported(template: Template, phase: Phase = Phase.COMPLETED, **fields: Any) -> dict[str, Any]:
    """That the template's files are kept, and how its import ended."""
    name = _name(template)
    return {"kept": frozenset({name}), "imports": {name: an_import(name, phase=phase, **fields)}}


def test_a_new_template_is_held_its_files_kept_and_imported() -> None:
    template = a_template(status=NEW, finalizers=())
    assert isinstance(_decide(template), HoldTemplate)
    held = a_template(status=NEW)
    keep = _decide(held)
    assert isinstance(keep, KeepFiles)
    body: Any = keep.body()
    assert (body["metadata"]["name"], body["immutable"], body["data"]) == (_name(held), True, {"main.tf": ""})

    decision = _decide(held, kept=frozenset({_name(held)}))

    assert isinstance(decision, ImportVersion)
    job: Any = decision.body()
    assert job["metadata"]["name"] == f"{_name(held)}-import"
    assert job["spec"]["type"] == "TemplateImport"
    assert job["spec"]["source"] == {"configMapRef": {"name": _name(held)}}


def test_only_a_version_whose_import_completed_becomes_active() -> None:
    template = a_template(status=NEW)

    importing = _status(template, **_imported(template, Phase.RUNNING))
    assert (importing.active_version, _says(importing)) == (None, ("False", "Importing"))
    failed = _status(template, **_imported(template, Phase.FAILED, message="No such module."))
    assert (failed.active_version, _says(failed)) == (None, ("False", "ImportFailed"))
    ready = _status(template, **_imported(template))
    assert (ready.active_version, _says(ready)) == (_name(template), ("True", "Imported"))


def test_a_version_with_faults_of_its_own_fails_although_its_files_were_imported() -> None:
    template = a_template(status=NEW, parameters=(Parameter("size", ParameterType.NUMBER, minimum=9, maximum=1),))

    status = _status(template, **_imported(template))

    assert (status.active_version, _says(status)) == (None, ("False", "ImportFailed"))
    message = next(each.message for each in status.conditions if each.type == "Ready")
    assert "Parameter size: validation.min is 9, above validation.max, which is 1. Fix the template" in message
    fixed = replace(template, parameters=(SIZE,), status=status)
    assert _status(fixed, **_imported(fixed)).active_version == _name(fixed)


def test_a_variable_that_is_set_now_is_looked_for_again() -> None:
    template = a_template(status=NEW)
    required: dict[str, Any] = {"variables": ({"name": "token", "type": "string", "required": True},)}
    status = _status(template, **_imported(template, **required))
    assert _says(status) == ("False", "ImportFailed")

    failed = replace(template, status=status)
    by_secret = replace(failed, variables_from=({"secretRef": {}},))
    for fixed in (replace(failed, variables=({"name": "token", "value": "x"},)), by_secret):
        assert _status(fixed, **_imported(fixed, **required)).active_version == _name(fixed)
    rotated = replace(template, variables=({"name": "token", "value": "y"},))
    assert _name(rotated) == _name(replace(rotated, variables=({"name": "token", "value": "z"},)))


def test_the_last_good_version_stays_active_while_another_is_imported_and_if_that_fails() -> None:
    first = a_template(status=NEW)
    known = replace(first, status=_status(first, **_imported(first)))
    second = replace(known, generation=2, files={"main.tf": "changed"})

    for phase in (Phase.RUNNING, Phase.FAILED):
        status = _status(second, **_imported(second, phase))
        assert status.active_version == _name(first)
        assert _says(status, "Available")[0] == "True"
        assert _says(status)[0] == "False"
    assert _status(second, **_imported(second)).active_version == _name(second)


def test_a_source_that_is_set_back_is_the_version_that_it_was() -> None:
    first = a_template(status=NEW)
    known = replace(first, status=_status(first, **_imported(first)))
    second = replace(known, files={"main.tf": "changed"})
    changed = replace(second, status=_status(second, **_imported(second)))

    back = _status(replace(changed, files=first.files))

    assert back.active_version == _name(first)


def test_changed_parameters_are_another_version_and_each_version_keeps_its_own() -> None:
    small, large = (Parameter("size", maximum=1),), (Parameter("size", maximum=9),)
    first = a_template(status=NEW, parameters=small)
    known = replace(first, status=_status(first, **_imported(first)))
    second = replace(known, parameters=large)

    status = _status(second, **_imported(second))

    assert [each.parameters for each in status.versions] == [small, large]
    assert _name(replace(second, parameters=(*large, Parameter("a")))) == _name(
        replace(second, parameters=(Parameter("a"), *large))
    )


def test_a_failed_import_is_tried_again_when_that_is_asked_for() -> None:
    template = a_template(status=NEW)
    failed = replace(template, status=_status(template, **_imported(template, Phase.FAILED)))

    assert _decide(failed) is None
    assert isinstance(_decide(replace(failed, import_generation=1)), KeepFiles)


def test_git_is_pinned_to_the_commit_that_was_imported() -> None:
    git = {"url": "https://git.example.com/a.git", "ref": "main", "path": "."}
    template = a_template(status=NEW, files=None, git=git)

    assert isinstance(_decide(template), ImportVersion)
    status = _status(template, **_imported(template, commit="0" * 40))

    assert status.versions[-1].git == {**git, "commit": "0" * 40}


def test_an_import_whose_end_was_missed_is_looked_for_and_made_again_if_it_is_gone() -> None:
    template = a_template(status=NEW)
    known = replace(template, status=_status(template, **_imported(template, Phase.RUNNING)))

    assert isinstance(_decide(known), FindImport)
    assert isinstance(_decide(known, imports={_name(template): None}), ImportVersion)


def test_a_config_map_is_read_when_the_template_changes_and_now_and_then() -> None:
    template = a_template(status=NEW, files=None, config_map="files")
    files = SourceFiles({"main.tf": ""})

    assert isinstance(_decide(template), ReadSource)
    reading = Reading(files, template.generation, at(0).monotonic)
    assert isinstance(_decide(template, reading=reading), KeepFiles)
    assert isinstance(_decide(replace(template, generation=2), reading=reading), ReadSource)
    assert isinstance(_decide(template, reading=reading, now=SOURCE_REREAD_SECONDS), ReadSource)


def test_a_config_map_that_is_missing_is_reported_and_looked_for_again() -> None:
    template = a_template(files=None, config_map="files")
    missing = Reading(SourceFiles(missing="ConfigMap files does not exist."), 1, at(0).monotonic)

    plan = _plan(template, reading=missing)

    assert isinstance(plan.decision, UpdateTemplateStatus)
    assert _says(plan.decision.status) == ("False", "SourceUnavailable")
    assert plan.requeue_after == SOURCE_RETRY_SECONDS
    assert isinstance(_decide(template, reading=missing, now=SOURCE_RETRY_SECONDS), ReadSource)


def test_a_superseded_version_goes_after_its_time_unless_a_workspace_has_it() -> None:
    template = a_template(status=NEW)
    wanted = a_version(_name(template))
    old = a_version("template-old", superseded=NOON)
    known = a_template(old, wanted, active=wanted.name, version_retention=100)

    assert not isinstance(_decide(known, now=99), DiscardVersion)
    assert isinstance(_decide(known, now=100), DiscardVersion)
    assert not isinstance(_decide(known, now=100, versions_in_use=frozenset({old.name})), DiscardVersion)
    assert not isinstance(_decide(known, now=100, unreadable_workspaces=1), DiscardVersion)
    gone = _status(known, now=100, discarded=frozenset({old.name}))
    assert [each.name for each in gone.versions] == [wanted.name]


def test_a_deleted_template_goes_when_no_workspace_is_left() -> None:
    template = a_template(deleting=True)

    assert _says(_status(template, workspaces=2)) == ("False", "InUse")
    assert isinstance(_decide(template, workspaces=0), ReleaseTemplate)


def test_a_deleted_template_stays_while_a_workspace_that_cannot_be_parsed_may_use_it() -> None:
    template = a_template(deleting=True)

    status = _status(template, unreadable_workspaces=1)

    assert _says(status) == ("False", "InUse")
    assert "(0 workspaces left, and 1 that cannot be parsed)" in status.conditions[0].message


def test_a_status_that_is_current_is_not_written_again() -> None:
    template = a_template(status=NEW)
    facts = _imported(template)
    status = _status(template, **facts)

    assert _decide(replace(template, status=status), **facts) is None
    assert _decide(replace(template, status=status)) is None


def test_a_failed_version_is_kept_with_what_went_wrong() -> None:
    template = a_template(status=NEW)

    status = _status(template, **_imported(template, Phase.FAILED, message="No such module."))

    assert status.versions[-1].phase is VersionPhase.FAILED
    assert status.versions[-1].message == "No such module."


def test_the_earlier_of_two_looks_counts() -> None:
    template = a_template(status=NEW, files=None, config_map="files", version_retention=100)
    reading = Reading(SourceFiles({"main.tf": ""}), template.generation, at(0).monotonic)
    wanted = a_version(version_name(template.name, digest_of(template, reading.files)))
    older, newer = a_version("older", superseded=NOON - 60), a_version("newer", superseded=NOON - 20)
    known = replace(template, status=TemplateStatus(wanted.name, (newer, older, wanted)))

    assert _plan(known, reading=reading).requeue_after == 40
    kept_for_long = replace(known, version_retention=10_000)
    assert _plan(kept_for_long, reading=reading, now=500).requeue_after == SOURCE_REREAD_SECONDS - 500


def test_a_version_that_is_being_imported_is_not_discarded_and_too_many_go_at_once() -> None:
    template = a_template(status=NEW)
    wanted = a_version(_name(template))
    importing = a_version("importing", phase=VersionPhase.IMPORTING, superseded=NOON)
    old = [a_version(f"old-{number}", superseded=NOON) for number in range(MOST_VERSIONS)]
    crowded = a_template(importing, *old, wanted, active=wanted.name)

    decision = _decide(crowded, imports={importing.name: an_import(importing.name, phase=Phase.RUNNING)})

    assert isinstance(decision, DiscardVersion)
    assert decision.version == "old-0"


def test_no_version_in_use_is_dropped_however_many_there_are() -> None:
    template = a_template(status=NEW)
    wanted = a_version(_name(template))
    used = [a_version(f"used-{number}", superseded=NOON) for number in range(MOST_VERSIONS + 10)]
    unused = a_version("unused", superseded=NOON)
    names = frozenset(each.name for each in used)
    crowded = a_template(*used, unused, wanted, active=wanted.name)

    status = _status(crowded, versions_in_use=names, discarded=frozenset({unused.name}))

    assert [each.name for each in status.versions] == [*(each.name for each in used), wanted.name]


def _full(**fields: Any) -> tuple[Template, frozenset[str]]:
    """A template whose source has changed, and whose status has no room: all versions are in use."""
    used = [a_version(f"used-{number}", superseded=NOON, **fields) for number in range(MOST_VERSIONS_IN_USE)]
    return a_template(*used, active=used[-1].name), frozenset(each.name for each in used)


def test_a_version_for_which_there_is_no_room_waits_until_an_old_one_is_left() -> None:
    template, used = _full()

    status = _status(template, versions_in_use=used)

    assert _says(status) == ("False", "TooManyVersions")
    assert _says(status, "Available")[0] == "True"
    assert (status.versions, status.active_version) == (template.status.versions, template.status.active_version)
    assert isinstance(_decide(template, versions_in_use=used - {"used-0"}), KeepFiles)
    imported = _imported(template, Phase.RUNNING)
    left = _decide(template, versions_in_use=used - {"used-0"}, **imported)
    assert isinstance(left, DiscardVersion)
    assert left.version == "used-0"


def test_the_status_has_room_for_its_bytes() -> None:
    heavy = (Parameter("size", default="x" * 4096, regex="x" * 512),)
    template, used = _full(parameters=heavy)

    assert _says(_status(template, versions_in_use=used)) == ("False", "TooManyVersions")
    few = frozenset(sorted(used)[:10])
    imported = _imported(template, Phase.RUNNING)
    assert isinstance(_decide(template, versions_in_use=few, **imported), DiscardVersion)


def test_what_nothing_needs_is_left_out_where_its_files_cannot_be_deleted() -> None:
    template, used = _full()
    facts = _imported(template, Phase.RUNNING)

    status = _status(template, versions_in_use=used - {"used-7"}, refused=_refused("DiscardVersion"), **facts)

    assert len(status.versions) == MOST_VERSIONS_IN_USE
    assert {each.name for each in template.status.versions} - {each.name for each in status.versions} == {"used-7"}


def test_a_version_without_files_goes_without_a_request() -> None:
    git = {"url": "https://git.example.com/a.git", "ref": "main", "path": "."}
    template = a_template(status=NEW, files=None, git=git, version_retention=100)
    wanted = a_version(_name(template), files=False, git=git)
    old = a_version("old", files=False, git=git, superseded=NOON)

    status = _status(replace(template, status=TemplateStatus(wanted.name, (old, wanted))), now=100)

    assert [each.name for each in status.versions] == [wanted.name]


def test_a_deleted_template_without_our_finalizer_is_left_alone() -> None:
    assert _decide(a_template(deleting=True, finalizers=("another",))) is None


@pytest.mark.parametrize(("count", "left"), [(1, "(1 workspace left)"), (2, "(2 workspaces left)")])
def test_a_deleted_template_says_how_many_workspaces_it_waits_for(count: int, left: str) -> None:
    status = _status(a_template(deleting=True), workspaces=count)

    assert left in next(each.message for each in status.conditions if each.type == "Ready")


def test_only_the_number_of_workspaces_is_worth_no_write_of_its_own() -> None:
    template = a_template(status=NEW)
    known = replace(template, status=_status(template, **_imported(template)))

    assert _plan(known, workspaces=3).delay > 0
    assert _plan(template, **_imported(template)).delay == 0


# --- what the API server refuses ---


def _refused(kind: str, words: str = "no right", *, transient: bool = False) -> RefusedStep:
    return RefusedStep(kind, words, transient=transient)


def test_a_step_that_is_refused_is_not_made_again_yet_and_the_status_says_why() -> None:
    new = a_template(status=NEW)
    for template, kind in (
        (replace(new, finalizers=()), "HoldTemplate"),
        (a_template(status=NEW, config_map="source", files=None), "ReadSource"),
        (new, "KeepFiles"),
        (a_template(deleting=True), "ReleaseTemplate"),
    ):
        assert type(_decide(template)).__name__ == kind
        status = _status(template, refused=_refused(kind))
        assert _says(status) == ("False", "WriteRefused")
        assert _says(status, "Stalled") == ("True", "WriteRefused")
        assert _decide(template, refused=_refused(kind, transient=True)) is None


@pytest.mark.parametrize("refused", ["KeepFiles", "ImportVersion"])
def test_the_end_of_an_import_is_recorded_although_the_next_version_is_refused(refused: str) -> None:
    importing = a_version("template-1", phase=VersionPhase.IMPORTING, superseded=None)
    template = a_template(status=TemplateStatus(versions=(importing,)))
    kept = frozenset({_name(template)}) if refused == "ImportVersion" else frozenset()
    imports = {"template-1": an_import("template-1", phase=Phase.COMPLETED)}
    status = _status(template, kept=kept, imports=imports, refused=RefusedStep(refused, "no"))
    assert [(each.name, each.phase) for each in status.versions] == [("template-1", VersionPhase.READY)]
    assert status.active_version == "template-1"
    assert _says(status) == ("False", "WriteRefused")
    assert _says(status, "Available") == ("True", "Imported")
    assert "Version template-1 remains active." in next(each.message for each in status.conditions)


def test_an_old_version_whose_files_cannot_be_deleted_holds_up_no_new_one() -> None:
    wanted = a_version(_name(a_template(status=NEW)), phase=VersionPhase.IMPORTING)
    old = a_version("template-old", superseded=NOON)
    known = a_template(old, wanted, active=old.name, version_retention=100)
    third = a_version("template-third", superseded=NOON)
    template = replace(known, status=replace(known.status, versions=(third, old, wanted)))
    facts = _imported(template)
    assert isinstance(_decide(template, now=100, **facts), DiscardVersion)
    status = _status(template, now=100, refused=_refused("DiscardVersion"), **facts)
    assert status.active_version == wanted.name
    assert third.name in {each.name for each in status.versions}
    assert _says(status) == ("False", "WriteRefused")
    assert _says(status, "Available") == ("True", "Imported")

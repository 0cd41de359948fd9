"""Single steps of a template: its source, its imports, its end."""

from dataclasses import replace
from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import ParameterType, Phase, VersionPhase
from provisioner_operator.api.v1alpha1.names import version_name
from provisioner_operator.core.workspaces.decisions import (
    FindImport,
    FindWorkspaces,
    HoldTemplate,
    ImportVersion,
    KeepFiles,
    ReadSource,
    ReleaseTemplate,
    UpdateTemplateStatus,
)
from provisioner_operator.core.workspaces.records import Parameter, SourceFiles, TemplateStatus
from provisioner_operator.core.workspaces.template_source import (
    SOURCE_REREAD_SECONDS,
    SOURCE_RETRY_SECONDS,
    Reading,
    digest_of,
)
from support.builders.build_plans import SIZE
from support.builders.core import NOON, at
from support.builders.template_plans import (
    NEW,
    decided_template,
    imported,
    planned_template,
    says,
    wanted_name,
    written_status,
)
from support.builders.workspaces import a_template, a_version


def test_a_new_template_is_held_its_files_kept_and_imported() -> None:
    template = a_template(status=NEW, finalizers=())
    assert isinstance(decided_template(template), HoldTemplate)
    held = a_template(status=NEW)
    keep = decided_template(held)
    assert isinstance(keep, KeepFiles)
    body: Any = keep.body()
    assert (body["metadata"]["name"], body["immutable"], body["data"]) == (wanted_name(held), True, {"main.tf": ""})

    decision = decided_template(held, kept=frozenset({wanted_name(held)}))

    assert isinstance(decision, ImportVersion)
    job: Any = decision.body()
    assert job["metadata"]["name"] == f"{wanted_name(held)}-import"
    assert job["spec"]["type"] == "TemplateImport"
    assert job["spec"]["source"] == {"configMapRef": {"name": wanted_name(held)}}


def test_only_a_version_whose_import_completed_becomes_active() -> None:
    template = a_template(status=NEW)

    importing = written_status(template, **imported(template, Phase.RUNNING))
    assert (importing.active_version, says(importing)) == (None, ("False", "Importing"))
    failed = written_status(template, **imported(template, Phase.FAILED, message="No such module."))
    assert (failed.active_version, says(failed)) == (None, ("False", "ImportFailed"))
    ready = written_status(template, **imported(template))
    assert (ready.active_version, says(ready)) == (wanted_name(template), ("True", "Imported"))


def test_a_version_with_faults_of_its_own_fails_although_its_files_were_imported() -> None:
    template = a_template(status=NEW, parameters=(Parameter("size", ParameterType.NUMBER, minimum=9, maximum=1),))

    status = written_status(template, **imported(template))

    assert (status.active_version, says(status)) == (None, ("False", "ImportFailed"))
    message = next(each.message for each in status.conditions if each.type == "Ready")
    assert "Parameter size: validation.min is 9, above validation.max, which is 1. Fix the template" in message
    fixed = replace(template, parameters=(SIZE,), status=status)
    assert written_status(fixed, **imported(fixed)).active_version == wanted_name(fixed)


def test_a_variable_that_is_set_now_is_looked_for_again() -> None:
    template = a_template(status=NEW)
    required: dict[str, Any] = {"variables": ({"name": "token", "type": "string", "required": True},)}
    status = written_status(template, **imported(template, **required))
    assert says(status) == ("False", "ImportFailed")

    failed = replace(template, status=status)
    by_secret = replace(failed, variables_from=({"secretRef": {}},))
    for fixed in (replace(failed, variables=({"name": "token", "value": "x"},)), by_secret):
        assert written_status(fixed, **imported(fixed, **required)).active_version == wanted_name(fixed)
    rotated = replace(template, variables=({"name": "token", "value": "y"},))
    assert wanted_name(rotated) == wanted_name(replace(rotated, variables=({"name": "token", "value": "z"},)))


def test_the_last_good_version_stays_active_while_another_is_imported_and_if_that_fails() -> None:
    first = a_template(status=NEW)
    known = replace(first, status=written_status(first, **imported(first)))
    second = replace(known, generation=2, files={"main.tf": "changed"})

    for phase in (Phase.RUNNING, Phase.FAILED):
        status = written_status(second, **imported(second, phase))
        assert status.active_version == wanted_name(first)
        assert says(status, "Available")[0] == "True"
        assert says(status)[0] == "False"
    assert written_status(second, **imported(second)).active_version == wanted_name(second)


def test_a_source_that_is_set_back_is_the_version_that_it_was() -> None:
    first = a_template(status=NEW)
    known = replace(first, status=written_status(first, **imported(first)))
    second = replace(known, files={"main.tf": "changed"})
    changed = replace(second, status=written_status(second, **imported(second)))

    back = written_status(replace(changed, files=first.files))

    assert back.active_version == wanted_name(first)


def test_changed_parameters_are_another_version_and_each_version_keeps_its_own() -> None:
    small, large = (Parameter("size", maximum=1),), (Parameter("size", maximum=9),)
    first = a_template(status=NEW, parameters=small)
    known = replace(first, status=written_status(first, **imported(first)))
    second = replace(known, parameters=large)

    status = written_status(second, **imported(second))

    assert [each.parameters for each in status.versions] == [small, large]
    assert wanted_name(replace(second, parameters=(*large, Parameter("a")))) == wanted_name(
        replace(second, parameters=(Parameter("a"), *large))
    )


def test_a_failed_import_is_tried_again_when_that_is_asked_for() -> None:
    template = a_template(status=NEW)
    failed = replace(template, status=written_status(template, **imported(template, Phase.FAILED)))

    assert decided_template(failed) is None
    assert isinstance(decided_template(replace(failed, import_generation=1)), KeepFiles)


def test_git_is_pinned_to_the_commit_that_was_imported() -> None:
    git = {"url": "https://git.example.com/a.git", "ref": "main", "path": "."}
    template = a_template(status=NEW, files=None, git=git)

    assert isinstance(decided_template(template), ImportVersion)
    status = written_status(template, **imported(template, commit="0" * 40))

    assert status.versions[-1].git == {**git, "commit": "0" * 40}


def test_an_import_whose_end_was_missed_is_looked_for_and_made_again_if_it_is_gone() -> None:
    template = a_template(status=NEW)
    known = replace(template, status=written_status(template, **imported(template, Phase.RUNNING)))

    assert isinstance(decided_template(known), FindImport)
    assert isinstance(decided_template(known, imports={wanted_name(template): None}), ImportVersion)


def test_a_config_map_is_read_when_the_template_changes_and_now_and_then() -> None:
    template = a_template(status=NEW, files=None, config_map="files")
    files = SourceFiles({"main.tf": ""})

    assert isinstance(decided_template(template), ReadSource)
    reading = Reading(files, template.generation, at(0).monotonic)
    assert isinstance(decided_template(template, reading=reading), KeepFiles)
    assert isinstance(decided_template(replace(template, generation=2), reading=reading), ReadSource)
    assert isinstance(decided_template(template, reading=reading, now=SOURCE_REREAD_SECONDS), ReadSource)


def test_a_config_map_that_is_missing_is_reported_and_looked_for_again() -> None:
    template = a_template(files=None, config_map="files")
    missing = Reading(SourceFiles(missing="ConfigMap files does not exist."), 1, at(0).monotonic)

    plan = planned_template(template, reading=missing)

    assert isinstance(plan.decision, UpdateTemplateStatus)
    assert says(plan.decision.status) == ("False", "SourceUnavailable")
    assert plan.requeue_after == SOURCE_RETRY_SECONDS
    assert isinstance(decided_template(template, reading=missing, now=SOURCE_RETRY_SECONDS), ReadSource)


def test_a_deleted_template_goes_when_no_workspace_is_left() -> None:
    template = a_template(deleting=True)

    assert says(written_status(template, workspaces=2)) == ("False", "InUse")
    assert isinstance(decided_template(template, workspaces=0), ReleaseTemplate)


def test_a_deleted_template_goes_only_after_the_workspaces_were_listed() -> None:
    template = a_template(deleting=True)

    assert isinstance(decided_template(template, listed=False), FindWorkspaces)
    assert says(written_status(template, listed=False, workspaces=2)) == ("False", "InUse")


def test_a_deleted_template_stays_while_a_workspace_that_cannot_be_parsed_may_use_it() -> None:
    template = a_template(deleting=True)

    status = written_status(template, unreadable_workspaces=1)

    assert says(status) == ("False", "InUse")
    assert "(0 workspaces left, and 1 that cannot be parsed)" in status.conditions[0].message


def test_a_status_that_is_current_is_not_written_again() -> None:
    template = a_template(status=NEW)
    facts = imported(template)
    status = written_status(template, **facts)

    assert decided_template(replace(template, status=status), **facts) is None
    assert decided_template(replace(template, status=status)) is None


def test_a_failed_version_is_kept_with_what_went_wrong() -> None:
    template = a_template(status=NEW)

    status = written_status(template, **imported(template, Phase.FAILED, message="No such module."))

    assert status.versions[-1].phase is VersionPhase.FAILED
    assert status.versions[-1].message == "No such module."


def test_the_earlier_of_two_looks_counts() -> None:
    template = a_template(status=NEW, files=None, config_map="files", version_retention=100)
    reading = Reading(SourceFiles({"main.tf": ""}), template.generation, at(0).monotonic)
    wanted = a_version(version_name(template.name, digest_of(template, reading.files)))
    older, newer = a_version("older", superseded=NOON - 60), a_version("newer", superseded=NOON - 20)
    known = replace(template, status=TemplateStatus(wanted.name, (newer, older, wanted)))

    assert planned_template(known, reading=reading).requeue_after == 40
    kept_for_long = replace(known, version_retention=10_000)
    assert planned_template(kept_for_long, reading=reading, now=500).requeue_after == SOURCE_REREAD_SECONDS - 500


def test_other_logins_for_modules_are_another_version_to_import() -> None:
    template = a_template()
    private = replace(template, module_credentials=({"host": "git.example.com", "secretRef": {"name": "git"}},))

    assert digest_of(private, None) != digest_of(template, None)


def test_a_deleted_template_without_our_finalizer_is_left_alone() -> None:
    assert decided_template(a_template(deleting=True, finalizers=("another",))) is None


@pytest.mark.parametrize(("count", "left"), [(1, "(1 workspace left)"), (2, "(2 workspaces left)")])
def test_a_deleted_template_says_how_many_workspaces_it_waits_for(count: int, left: str) -> None:
    status = written_status(a_template(deleting=True), workspaces=count)

    assert left in next(each.message for each in status.conditions if each.type == "Ready")


def test_only_the_number_of_workspaces_is_worth_no_write_of_its_own() -> None:
    template = a_template(status=NEW)
    known = replace(template, status=written_status(template, **imported(template)))

    assert planned_template(known, workspaces=3).delay > 0
    used = replace(known, status=replace(known.status, workspaces=3))
    assert planned_template(used, workspaces=1).delay > 0
    # Without any, the template may be deleted.
    assert planned_template(used, workspaces=0).delay == 0
    assert planned_template(template, **imported(template)).delay == 0

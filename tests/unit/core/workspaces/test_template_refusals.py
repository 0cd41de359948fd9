"""Steps of a template that the API server refused."""

from dataclasses import replace

import pytest

from provisioner_operator.api.v1alpha1.enums import Phase, VersionPhase
from provisioner_operator.api.v1alpha1.limits import MOST_VERSIONS_IN_USE
from provisioner_operator.core.workspaces.decisions import (
    DiscardVersion,
    FindWorkspaces,
)
from provisioner_operator.core.workspaces.records import TemplateStatus
from provisioner_operator.core.workspaces.refused_step import RefusedStep
from support.builders.core import NOON
from support.builders.template_plans import (
    NEW,
    decided_template,
    imported,
    says,
    wanted_name,
    written_status,
)
from support.builders.workspaces import a_template, a_version, an_import


def _refused(kind: str, words: str = "no right", *, transient: bool = False) -> RefusedStep:
    return RefusedStep(kind, words, transient=transient)


def test_a_step_that_is_refused_is_not_made_again_yet_and_the_status_says_why() -> None:
    new = a_template(status=NEW)
    for template, kind in (
        (replace(new, finalizers=()), "HoldTemplate"),
        (a_template(status=NEW, config_map="source", files=None), "ReadSource"),
        (new, "KeepFiles"),
        (a_template(deleting=True), "ReleaseTemplate"),
        (a_template(deleting=True), "FindWorkspaces"),
    ):
        listed = kind != "FindWorkspaces"
        assert type(decided_template(template, listed=listed)).__name__ == kind
        status = written_status(template, listed=listed, refused=_refused(kind))
        assert says(status) == ("False", "WriteRefused")
        assert says(status, "Stalled") == ("True", "WriteRefused")
        assert decided_template(template, listed=listed, refused=_refused(kind, transient=True)) is None


@pytest.mark.parametrize("refused", ["KeepFiles", "ImportVersion"])
def test_the_end_of_an_import_is_recorded_although_the_next_version_is_refused(refused: str) -> None:
    importing = a_version("template-1", phase=VersionPhase.IMPORTING, superseded=None)
    template = a_template(status=TemplateStatus(versions=(importing,)))
    kept = frozenset({wanted_name(template)}) if refused == "ImportVersion" else frozenset()
    imports = {"template-1": an_import("template-1", phase=Phase.COMPLETED)}
    status = written_status(template, kept=kept, imports=imports, refused=RefusedStep(refused, "no"))
    assert [(each.name, each.phase) for each in status.versions] == [("template-1", VersionPhase.READY)]
    assert status.active_version == "template-1"
    assert says(status) == ("False", "WriteRefused")
    assert says(status, "Available") == ("True", "Imported")
    assert "Version template-1 remains active." in next(each.message for each in status.conditions)


def test_an_old_version_whose_files_cannot_be_deleted_holds_up_no_new_one() -> None:
    wanted = a_version(wanted_name(a_template(status=NEW)), phase=VersionPhase.IMPORTING)
    old = a_version("template-old", superseded=NOON)
    known = a_template(old, wanted, active=old.name, version_retention=100)
    third = a_version("template-third", superseded=NOON)
    template = replace(known, status=replace(known.status, versions=(third, old, wanted)))
    facts = imported(template)
    assert isinstance(decided_template(template, now=100, **facts), DiscardVersion)
    status = written_status(template, now=100, refused=_refused("DiscardVersion"), **facts)
    assert status.active_version == wanted.name
    assert third.name in {each.name for each in status.versions}
    assert says(status) == ("False", "WriteRefused")
    assert says(status, "Available") == ("True", "Imported")


def test_a_new_version_does_not_wait_for_the_list_of_workspaces_and_the_list_for_nothing_else() -> None:
    wanted = a_version(wanted_name(a_template(status=NEW)), phase=VersionPhase.IMPORTING)
    old = a_version("template-old", superseded=NOON)
    active = a_version("template-active", superseded=NOON)
    template = a_template(old, active, wanted, active=active.name, version_retention=100)
    facts = imported(template) | {"now": 100, "listed": False}

    status = written_status(template, **facts)
    assert status.active_version == wanted.name
    assert [each.name for each in status.versions] == [old.name, active.name, wanted.name]
    written = replace(template, status=status)
    assert isinstance(decided_template(written, **facts), FindWorkspaces)
    # The number of workspaces is wrong until the list has been read.
    assert isinstance(decided_template(written, workspaces=1, **facts), FindWorkspaces)
    assert decided_template(written, refused=_refused("FindWorkspaces", transient=True), **facts) is None


def test_a_list_that_is_refused_is_said_and_repeated_without_another_write() -> None:
    wanted = a_version(wanted_name(a_template(status=NEW)))
    old = a_version("template-old", superseded=NOON)
    template = a_template(old, wanted, active=wanted.name, version_retention=100)
    settled = replace(template, status=written_status(template))
    facts = imported(template) | {"now": 100, "listed": False}

    status = written_status(settled, refused=_refused("FindWorkspaces"), **facts)

    assert says(status) == ("False", "WriteRefused")
    reported = replace(settled, status=status)
    assert decided_template(reported, refused=_refused("FindWorkspaces"), **facts) is None
    assert isinstance(decided_template(reported, **facts), FindWorkspaces)


def test_a_version_for_which_there_is_no_room_waits_for_the_list_of_workspaces() -> None:
    unused = [a_version(f"template-{number}", superseded=NOON) for number in range(MOST_VERSIONS_IN_USE)]
    template = a_template(*unused, active=unused[-1].name)
    facts = imported(template, Phase.RUNNING) | {"listed": False}

    assert isinstance(decided_template(template, **facts), FindWorkspaces)
    status = written_status(template, refused=_refused("FindWorkspaces"), **facts)
    assert (status.versions, says(status)) == (template.status.versions, ("False", "WriteRefused"))

"""Steps of a template that the API server refused."""

from dataclasses import replace

import pytest

from provisioner_operator.api.v1alpha1.enums import Phase, VersionPhase
from provisioner_operator.core.workspaces.decisions import (
    DiscardVersion,
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

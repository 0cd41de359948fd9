"""Versions of a template that are kept, and that go."""

from dataclasses import replace
from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import Phase, VersionPhase
from provisioner_operator.api.v1alpha1.limits import LONGEST_RECORDED_VALUE, MOST_VERSIONS, MOST_VERSIONS_IN_USE
from provisioner_operator.core.workspaces.decisions import (
    DiscardVersion,
    FindImport,
    FindWorkspaces,
    ImportVersion,
    KeepFiles,
)
from provisioner_operator.core.workspaces.records import Parameter, Template, TemplateStatus
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


def test_a_superseded_version_goes_after_its_time_unless_a_workspace_has_it() -> None:
    template = a_template(status=NEW)
    wanted = a_version(wanted_name(template))
    old = a_version("template-old", superseded=NOON)
    known = a_template(old, wanted, active=wanted.name, version_retention=100)

    assert not isinstance(decided_template(known, now=99), DiscardVersion)
    assert isinstance(decided_template(known, now=100), DiscardVersion)
    assert not isinstance(decided_template(known, now=100, versions_in_use=frozenset({old.name})), DiscardVersion)
    assert not isinstance(decided_template(known, now=100, unreadable_workspaces=1), DiscardVersion)
    gone = written_status(known, now=100, discarded=frozenset({old.name}))
    assert [each.name for each in gone.versions] == [wanted.name]


@pytest.mark.parametrize("files", [True, False], ids=["kept files", "git"])
def test_no_version_goes_before_the_workspaces_were_listed(*, files: bool) -> None:
    wanted = a_version(wanted_name(a_template(status=NEW)))
    old = a_version("template-old", superseded=NOON, files=files)
    template = a_template(old, wanted, active=wanted.name, version_retention=100)
    known = replace(template, status=written_status(template))

    assert not isinstance(decided_template(known, listed=False, now=99), FindWorkspaces)
    assert isinstance(decided_template(known, listed=False, now=100), FindWorkspaces)
    assert not isinstance(decided_template(known, now=100), FindWorkspaces)


def test_a_version_keeps_the_variables_that_the_template_has_lost() -> None:
    region: Any = {"name": "region", "value": "us"}
    token: Any = {"name": "token", "valueFrom": {"secretKeyRef": {}}}
    first = a_template(status=NEW, variables=(region, token))
    known = replace(first, status=written_status(first, **imported(first)))
    second = replace(known, variables=(token,))

    status = written_status(second, **imported(second))

    assert [each.variables for each in status.versions] == [(region, token), (token,)]


def test_the_newest_version_follows_the_values_of_variables_and_records_no_long_ones() -> None:
    first = a_template(status=NEW, variables=({"name": "region", "value": "us"},))
    known = replace(first, status=written_status(first, **imported(first)))
    changed = replace(known, variables=({"name": "region", "value": "eu"},))
    long = replace(known, variables=({"name": "region", "value": "x" * (LONGEST_RECORDED_VALUE + 1)},))

    assert [each.variables for each in written_status(changed).versions] == [changed.variables]
    assert [each.variables for each in written_status(long).versions] == [()]
    longest = replace(known, variables=({"name": "region", "value": "x" * LONGEST_RECORDED_VALUE},))
    assert [each.variables for each in written_status(longest).versions] == [longest.variables]


def _moved_on_during_an_import(before: dict[str, Any]) -> tuple[Template, Template, dict[str, Any]]:
    """A template with these fields, the one that it became during its import, and the imports of both versions."""
    token: Any = {"name": "token", "type": "string", "required": True}
    first = a_template(status=NEW, **before)
    begun = replace(first, status=written_status(first, **imported(first, Phase.RUNNING)))
    second = replace(begun, variables=(), variables_from=())
    facts = imported(second, Phase.RUNNING)
    ended = imported(first, variables=(token,))
    return first, second, {**facts, "imports": facts["imports"] | ended["imports"]}


def test_a_version_that_is_superseded_during_its_import_is_judged_by_its_own_variables() -> None:
    first, second, facts = _moved_on_during_an_import({"variables": ({"name": "token", "value": "x"},)})

    status = written_status(second, **facts)

    assert [(each.name, each.phase) for each in status.versions] == [
        (wanted_name(first), VersionPhase.READY),
        (wanted_name(second), VersionPhase.IMPORTING),
    ]


def test_a_version_that_failed_while_it_was_superseded_is_judged_again_once_it_is_wanted_again() -> None:
    # Variables from a Secret are not recorded.
    first, second, facts = _moved_on_during_an_import({"variables_from": ({"secretRef": {"name": "cloud"}},)})
    status = written_status(second, **facts)
    assert status.versions[0].phase is VersionPhase.FAILED

    template = replace(first, status=status)
    assert isinstance(decided_template(template, kept=facts["kept"]), FindImport)
    reverted = written_status(template, **facts)

    assert (reverted.active_version, says(reverted)) == (wanted_name(first), ("True", "Imported"))


def test_a_version_whose_import_failed_stays_failed_or_is_imported_again_if_its_job_is_gone() -> None:
    first = a_template(status=NEW)
    failed = a_version(wanted_name(first), phase=VersionPhase.FAILED, message="no", superseded=NOON)
    reverted = a_template(failed, active=None)

    facts = imported(first, Phase.FAILED, message="no")
    status = written_status(reverted, **facts)

    assert status.versions == (replace(failed, superseded=None),)
    again = decided_template(reverted, kept=facts["kept"], imports={failed.name: None})
    assert isinstance(again, ImportVersion)
    # Written, it is not judged a third time.
    assert decided_template(replace(reverted, status=status), kept=facts["kept"]) is None


def test_a_version_that_is_being_imported_is_not_discarded_and_too_many_go_at_once() -> None:
    template = a_template(status=NEW)
    wanted = a_version(wanted_name(template))
    importing = a_version("importing", phase=VersionPhase.IMPORTING, superseded=NOON)
    old = [a_version(f"old-{number}", superseded=NOON) for number in range(MOST_VERSIONS)]
    crowded = a_template(importing, *old, wanted, active=wanted.name)

    decision = decided_template(crowded, imports={importing.name: an_import(importing.name, phase=Phase.RUNNING)})

    assert isinstance(decision, DiscardVersion)
    assert decision.version == "old-0"


def test_no_version_in_use_is_dropped_however_many_there_are() -> None:
    template = a_template(status=NEW)
    wanted = a_version(wanted_name(template))
    used = [a_version(f"used-{number}", superseded=NOON) for number in range(MOST_VERSIONS + 10)]
    unused = a_version("unused", superseded=NOON)
    names = frozenset(each.name for each in used)
    crowded = a_template(*used, unused, wanted, active=wanted.name)

    status = written_status(crowded, versions_in_use=names, discarded=frozenset({unused.name}))

    assert [each.name for each in status.versions] == [*(each.name for each in used), wanted.name]


def _full(**fields: Any) -> tuple[Template, frozenset[str]]:
    """A template whose source has changed, and whose status has no room: all versions are in use."""
    used = [a_version(f"used-{number}", superseded=NOON, **fields) for number in range(MOST_VERSIONS_IN_USE)]
    return a_template(*used, active=used[-1].name), frozenset(each.name for each in used)


def test_a_version_for_which_there_is_no_room_waits_until_an_old_one_is_left() -> None:
    template, used = _full()

    status = written_status(template, versions_in_use=used)

    assert says(status) == ("False", "TooManyVersions")
    assert says(status, "Available")[0] == "True"
    assert (status.versions, status.active_version) == (template.status.versions, template.status.active_version)
    assert isinstance(decided_template(template, versions_in_use=used - {"used-0"}), KeepFiles)
    facts = imported(template, Phase.RUNNING)
    left = decided_template(template, versions_in_use=used - {"used-0"}, **facts)
    assert isinstance(left, DiscardVersion)
    assert left.version == "used-0"


def test_the_status_has_room_for_its_bytes() -> None:
    heavy = (Parameter("size", default="x" * 4096, regex="x" * 512),)
    template, used = _full(parameters=heavy)

    assert says(written_status(template, versions_in_use=used)) == ("False", "TooManyVersions")
    few = frozenset(sorted(used)[:10])
    facts = imported(template, Phase.RUNNING)
    assert isinstance(decided_template(template, versions_in_use=few, **facts), DiscardVersion)


def test_what_nothing_needs_is_left_out_where_its_files_cannot_be_deleted() -> None:
    template, used = _full()
    facts = imported(template, Phase.RUNNING)

    status = written_status(
        template, versions_in_use=used - {"used-7"}, refused=RefusedStep("DiscardVersion", "no right"), **facts
    )

    assert len(status.versions) == MOST_VERSIONS_IN_USE
    assert {each.name for each in template.status.versions} - {each.name for each in status.versions} == {"used-7"}


def test_a_version_without_files_goes_without_a_request() -> None:
    git = {"url": "https://git.example.com/a.git", "ref": "main", "path": "."}
    template = a_template(status=NEW, files=None, git=git, version_retention=100)
    wanted = a_version(wanted_name(template), files=False, git=git)
    old = a_version("old", files=False, git=git, superseded=NOON)

    status = written_status(replace(template, status=TemplateStatus(wanted.name, (old, wanted))), now=100)

    assert [each.name for each in status.versions] == [wanted.name]

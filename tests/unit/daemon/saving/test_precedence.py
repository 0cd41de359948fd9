"""Precedence of states: a table, and the version that a plan file starts from."""

import zipfile
from pathlib import Path

import pytest

from provisioner_operator.daemon.execution.unsaved_state import StateVersion
from provisioner_operator.daemon.saving.precedence import may_replace, version_of, version_planned_from
from unit.daemon.saving.builders import a_state


def one(serial: int) -> StateVersion:
    return StateVersion("one", serial)


@pytest.mark.parametrize(
    ("stored", "base", "is_alone", "may"),
    [
        (None, None, False, True),  # nothing to lose
        (None, one(3), False, True),
        (one(3), one(3), False, True),  # as the run found it
        (one(4), one(3), True, True),  # what the run itself has saved on its way
        (one(4), one(3), False, False),  # or another run that started from the same version
        (one(3), None, False, False),
        (one(5), one(3), False, True),  # the answer was lost: `state push` checks that the content is the same
        (one(6), one(3), True, False),  # certainly another's
        (StateVersion("two", 3), one(3), True, False),
    ],
)
def test_only_what_its_own_run_has_read_or_written_is_replaced(
    stored: StateVersion | None,
    base: StateVersion | None,
    is_alone: bool,  # noqa: FBT001
    may: bool,  # noqa: FBT001
) -> None:
    assert may_replace(stored, one(5), base, is_alone=is_alone) is may


def test_a_states_version_is_its_lineage_and_serial() -> None:
    assert version_of(a_state(7, "x")) == StateVersion("x", 7)
    assert version_of("\n") is None
    assert version_of(a_state(0, "")) is None
    for broken in ("{", "[]", "{}", '{"lineage": "x", "serial": "y"}'):
        with pytest.raises(ValueError, match=r"."):
            version_of(broken)


def test_a_plan_file_shows_the_version_that_it_starts_from(tmp_path: Path) -> None:
    plan = tmp_path / "plan"
    assert version_planned_from(plan) is None
    plan.write_text("encrypted")
    assert version_planned_from(plan) is None
    for member, expected in (("tfconfig/x", None), ("tfstate", StateVersion("one", 2))):
        with zipfile.ZipFile(plan, "w") as archive:
            archive.writestr(member, a_state())
        assert version_planned_from(plan) == expected

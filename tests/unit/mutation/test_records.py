"""A file of tests is recorded again when something that it depends on has changed, and only then."""

import json
from pathlib import Path

import pytest

from mutation.records import Records
from mutation.worktree import Copy

ONE, TWO, EMPTY = "tests/unit/core/test_one.py", "tests/unit/core/test_two.py", "tests/unit/core/test_empty.py"
FILES = (ONE, TWO, EMPTY)
RECORDED = {
    ONE: {"tests": {f"{ONE}::a": 1.0}, "lines": {"core/x.py": {"3": [0]}}},
    TWO: {"tests": {f"{TWO}::b": 2.0, f"{TWO}::c": 3.0}, "lines": {"core/y.py": {"5": [1]}}},
}


@pytest.fixture
def records(tmp_path: Path) -> Records:
    copy = Copy(tmp_path / "scratch")
    package = "operator/provisioner_operator"
    others = (
        "tests/support/builders.py",
        "tests/conftest.py",
        "tests/integration/test_z.py",
        "tests/mutation/judge.py",
    )
    for name in (*FILES, *others, f"{package}/core/x.py", f"{package}/core/y.py", f"{package}/core/z.py"):
        file = copy.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    recorded = tmp_path / "recorded.json"
    recorded.write_text(json.dumps(RECORDED), encoding="utf-8")
    made = Records(tmp_path / "records", copy)
    made.add(FILES, recorded)
    return made


def changed(records: Records, name: str) -> Records:
    (records.copy.root / name).write_text("changed", encoding="utf-8")
    return Records(records.folder, records.copy)


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        (ONE, [ONE]),
        ("operator/provisioner_operator/core/y.py", [TWO]),
        ("operator/provisioner_operator/core/z.py", []),
        ("tests/support/builders.py", [*FILES]),
        ("tests/conftest.py", [*FILES]),
        ("tests/integration/test_z.py", []),
        ("tests/mutation/judge.py", []),
    ],
)
def test_a_change_outdates_the_records_that_depend_on_the_file(records: Records, name: str, missing: list[str]) -> None:
    assert records.missing(FILES) == []
    assert changed(records, name).missing(FILES) == missing


def test_a_new_file_of_tests_has_no_record(records: Records) -> None:
    assert records.missing([ONE, "tests/unit/core/test_new.py"]) == ["tests/unit/core/test_new.py"]


def test_records_are_joined(records: Records) -> None:
    record = records.load(FILES)

    assert record.seconds == {f"{ONE}::a": 1.0, f"{TWO}::b": 2.0, f"{TWO}::c": 3.0}
    assert record.lines == {"core/x.py": {3: {f"{ONE}::a"}}, "core/y.py": {5: {f"{TWO}::c"}}}

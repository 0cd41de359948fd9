"""The tests that judge a mutant are those that run its line."""

from pathlib import Path

import pytest

from mutation.mutants import Mutant
from mutation.record import Record
from mutation.scan import mutants_of

SOURCE = b"""LIMIT = 3

def f(a):
    return a + 1

def g(a):
    return a < LIMIT
"""
USER = b"from core.jobs.x import LIMIT\ndef h():\n    return LIMIT\n"
F, G, FAR, H = (
    "tests/unit/core/jobs/test_x.py::f",
    "tests/unit/core/jobs/test_x.py::g",
    "tests/simulation/t.py::s",
    "t.py::h",
)
PROGRAM = "tests/component/core/jobs/test_x.py::p"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "core" / "jobs").mkdir(parents=True)
    (tmp_path / "core" / "jobs" / "x.py").write_bytes(SOURCE)
    (tmp_path / "core" / "jobs" / "y.py").write_bytes(USER)
    return tmp_path


@pytest.fixture
def record() -> Record:
    near = {"tests": {F: 2.0, G: 0.1}, "lines": {"core/jobs/x.py": {"4": [0], "7": [1]}}}
    others = {"tests": {FAR: 9.0, H: 0.2}, "lines": {"core/jobs/x.py": {"4": [0]}, "core/jobs/y.py": {"3": [1]}}}
    return Record.joined([near, others])


def mutant_in_line(line: int) -> Mutant:
    return next(each for each in mutants_of("core/jobs/x.py", SOURCE) if each.line == line)


def test_tests_of_the_room_come_first_and_are_a_group_of_their_own(record: Record, root: Path) -> None:
    assert record.tests_of(mutant_in_line(4), root) == [[F], [FAR]]


def test_a_test_that_does_not_run_the_line_is_not_asked(record: Record, root: Path) -> None:
    assert record.tests_of(mutant_in_line(7), root) == [[G]]


def test_a_constant_is_judged_where_its_name_is_used(record: Record, root: Path) -> None:
    assert record.tests_of(mutant_in_line(1), root) == [[G], [H]]


def test_a_line_that_ran_before_the_record_began_is_judged_by_the_other_tests_of_its_file(
    record: Record, root: Path
) -> None:
    unseen = Record(record.seconds, {"core/jobs/x.py": {1: frozenset({F})}})

    assert unseen.tests_of(mutant_in_line(7), root) == [[F]]


def test_a_file_that_no_test_runs_has_no_judge(record: Record, root: Path) -> None:
    unseen = Record(record.seconds, {"core/jobs/y.py": {1: frozenset({F})}})

    assert unseen.tests_of(mutant_in_line(7), root) == []


def test_tests_that_start_programs_come_last_and_judge_lines_that_no_record_sees(record: Record, root: Path) -> None:
    with_programs = Record({**record.seconds, PROGRAM: 5.0, "tests/component/core/z.py::q": 1.0}, record.lines)
    unseen = Record(with_programs.seconds, {})

    assert with_programs.tests_of(mutant_in_line(7), root) == [[G], [PROGRAM]]
    assert unseen.tests_of(mutant_in_line(7), root) == [["tests/component/core/z.py::q", PROGRAM]]

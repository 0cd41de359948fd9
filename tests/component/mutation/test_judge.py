"""Mutants of a package of one module are judged by its tests, in the sandbox that the product's are judged in."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from mutation.judge import JudgeError, Outcome, Verdict, judge, record
from mutation.record import Record
from mutation.sandbox import Sandbox
from mutation.scan import package_mutants
from mutation.worktree import REPOSITORY, Copy

MODULE = """
def grade(points):
    if points >= 50:
        return "passed"
    return "failed"

def countdown(start):
    steps = 0
    while start > 0:
        start -= 1
        steps += 1
    return steps

def untested(a, b):
    return a + b
"""
TESTS = """
from provisioner_operator.core.grades import countdown, grade

def test_far_from_the_boundary():
    assert grade(90) == "passed"
    assert grade(10) == "failed"

def test_countdown():
    assert countdown(3) == 3
"""


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    copy = Copy(tmp_path / "scratch")
    (copy.package / "core").mkdir(parents=True)
    (copy.package / "__init__.py").touch()
    (copy.package / "core" / "__init__.py").touch()
    (copy.package / "core" / "grades.py").write_text(MODULE, encoding="utf-8")
    tests = copy.root / "tests" / "unit" / "core"
    tests.mkdir(parents=True)
    (tests / "test_grades.py").write_text(TESTS, encoding="utf-8")
    (copy.root / "pyproject.toml").write_text(
        '[tool.pytest.ini_options]\npythonpath = ["operator"]\n', encoding="utf-8"
    )
    shutil.copytree(REPOSITORY / "tests" / "mutation", copy.root / "tests" / "mutation")
    (copy.scratch / "tmp").mkdir()
    with closing(Sandbox(copy)) as made:
        yield made


@pytest.fixture
def made(sandbox: Sandbox, tmp_path: Path) -> Record:
    return record(["core"], sandbox, tmp_path / "record.json")


@pytest.fixture
def verdict_on(sandbox: Sandbox, made: Record) -> Callable[[str], Verdict]:
    mutants = {each.name: each for each in package_mutants(sandbox.copy.package, "core")}

    def of(name: str) -> Verdict:
        return judge(mutants[name], made, sandbox)

    return of


def test_a_mutant_that_breaks_a_tested_rule_is_noticed(verdict_on: Callable[[str], Verdict]) -> None:
    verdict = verdict_on("core/grades.py:3:compare")

    assert verdict.outcome is Outcome.NOTICED
    assert verdict.diff == "    -    if points >= 50:\n    +    if (points < 50):"
    assert "test_far_from_the_boundary" in verdict.output
    assert verdict.tests == ("tests/unit/core/test_grades.py::test_far_from_the_boundary",)


def test_mutants_that_change_nothing_that_is_tested_survive(
    verdict_on: Callable[[str], Verdict], sandbox: Sandbox
) -> None:
    on_the_boundary, untested = verdict_on("core/grades.py:3:boundary"), verdict_on("core/grades.py:15:arithmetic")

    assert on_the_boundary.outcome is Outcome.SURVIVED
    assert on_the_boundary.tests == ("tests/unit/core/test_grades.py::test_far_from_the_boundary",)
    assert untested.outcome is Outcome.SURVIVED
    assert {test.rpartition("::")[2] for test in untested.tests} == {"test_far_from_the_boundary", "test_countdown"}
    assert (sandbox.copy.package / "core" / "grades.py").read_text(encoding="utf-8") == MODULE


def test_a_mutant_that_never_ends_is_stopped_and_counted_as_hung(
    verdict_on: Callable[[str], Verdict], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mutation.judge._TEST_SECONDS", 1.0)

    assert verdict_on("core/grades.py:10:drop").outcome is Outcome.HUNG


def test_tests_that_fail_without_a_mutation_judge_nothing(sandbox: Sandbox, tmp_path: Path) -> None:
    (sandbox.copy.root / "tests" / "unit" / "core" / "test_wrong.py").write_text(
        "def test(): assert False", encoding="utf-8"
    )

    with pytest.raises(JudgeError, match="test_wrong"):
        record(["core"], sandbox, tmp_path / "record.json")


def test_a_failure_that_the_unchanged_code_has_too_notices_no_mutant(
    verdict_on: Callable[[str], Verdict], sandbox: Sandbox
) -> None:
    """As on a machine that has become too slow for a test since the record was made."""
    slow = "\n    if PLACE.exists():\n        raise TimeoutError\n"
    tests = TESTS.replace("far_from_the_boundary():\n", f"far_from_the_boundary():{slow}")
    (sandbox.copy.scratch / "slow").touch()
    place = f"from pathlib import Path\nPLACE = Path({str(sandbox.copy.scratch / 'slow')!r})\n"
    (sandbox.copy.root / "tests" / "unit" / "core" / "test_grades.py").write_text(place + tests, encoding="utf-8")

    assert verdict_on("core/grades.py:3:compare").outcome is Outcome.SURVIVED

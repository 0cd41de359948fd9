"""Survivors and sums as text, and the goals."""

from mutation.judge import Outcome, Verdict
from mutation.report import describe, missed_goals, table
from mutation.scan import mutants_of

SOURCE = b"def f(a):\n    return a + 1\n"


def verdicts(path: str, *outcomes: Outcome) -> list[Verdict]:
    mutant = next(mutants_of(path, SOURCE))
    return [
        Verdict(mutant, mutant.diff(SOURCE), outcome, ("tests/unit/test_x.py::a", "tests/unit/test_x.py::b"), 2.0, "")
        for outcome in outcomes
    ]


def test_a_survivor_is_named_with_its_change_and_the_tests_that_ran() -> None:
    [survivor] = verdicts("core/jobs/x.py", Outcome.SURVIVED)

    assert describe(survivor).splitlines() == [
        "core/jobs/x.py:2:return  survived (2 tests in tests/unit/test_x.py; 2 s)",
        "    -    return a + 1",
        "    +    return None",
    ]


def test_a_survivor_that_nothing_runs_says_so() -> None:
    untested = Verdict(next(mutants_of("core/x.py", SOURCE)), "", Outcome.SURVIVED, (), 0.0, "")

    assert "no test runs this line" in describe(untested)


def test_the_table_sums_by_room_and_by_package_and_counts_a_hang_as_noticed() -> None:
    rows = table(
        verdicts("core/jobs/x.py", Outcome.NOTICED, Outcome.HUNG) + verdicts("core/pools/x.py", Outcome.SURVIVED)
    ).splitlines()

    assert [row.split() for row in rows[1:]] == [
        ["core", "3", "1", "1", "1", "66.7", "95"],
        ["core/jobs", "2", "1", "1", "0", "100.0"],
        ["core/pools", "1", "0", "0", "1", "0.0"],
    ]


def test_a_goal_is_missed_only_below_it() -> None:
    nine_of_ten = [Outcome.NOTICED] * 9 + [Outcome.SURVIVED]

    assert missed_goals(verdicts("daemon/x.py", *nine_of_ten)) == []
    assert missed_goals(verdicts("core/x.py", *nine_of_ten)) == ["core"]

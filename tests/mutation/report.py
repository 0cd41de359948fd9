"""Lines of text about verdicts: each survivor with its change, and a table by room with the goals."""

from collections import Counter
from collections.abc import Iterable, Sequence

from mutation.judge import Outcome, Verdict

GOALS = {"core": 95, "daemon": 90, "kube": 90}
"""Percentage of mutants that the fast tests notice; the rest allows for mutants that change no behavior."""

_SHOWN_TESTS = 3


def describe(verdict: Verdict) -> str:
    """One mutant: its name, the change, and the tests that ran."""
    files = sorted({test.partition("::")[0] for test in verdict.tests})
    shown = ", ".join(files[:_SHOWN_TESTS]) + (f" and {len(files) - _SHOWN_TESTS} more" if files[_SHOWN_TESTS:] else "")
    tests = f"{len(verdict.tests)} tests in {shown}" if files else "no test runs this line"
    return f"{verdict.mutant.name}  {verdict.outcome} ({tests}; {verdict.seconds:.0f} s)\n{verdict.diff}"


def table(verdicts: Iterable[Verdict]) -> str:
    """Rows by room, and for each package its sum and its goal."""
    counts: dict[str, Counter[Outcome]] = {}
    for verdict in verdicts:
        for name in (verdict.mutant.path.partition("/")[0], verdict.mutant.room):
            counts.setdefault(name, Counter())[verdict.outcome] += 1
    head = f"{'':32}{'mutants':>8}{'noticed':>8}{'hung':>8}{'survived':>9}{'%':>7}{'goal':>6}"
    rows = [_row(name, counts[name], GOALS.get(name)) for name in sorted(counts)]
    return "\n".join([head, *rows])


def percentage(outcomes: Counter[Outcome]) -> float:
    """Share of the mutants that the tests noticed, by failing or by not ending."""
    return 100 * (1 - outcomes[Outcome.SURVIVED] / outcomes.total())


def missed_goals(verdicts: Sequence[Verdict]) -> list[str]:
    """The packages of which too many mutants survived."""
    missed = []
    for package, goal in GOALS.items():
        outcomes = Counter(each.outcome for each in verdicts if each.mutant.path.startswith(f"{package}/"))
        if outcomes and percentage(outcomes) < goal:
            missed.append(package)
    return missed


def _row(name: str, outcomes: Counter[Outcome], goal: int | None) -> str:
    numbers = (
        f"{outcomes.total():8}{outcomes[Outcome.NOTICED]:8}{outcomes[Outcome.HUNG]:8}{outcomes[Outcome.SURVIVED]:9}"
    )
    return f"{name:32}{numbers}{percentage(outcomes):7.1f}{goal or '':>6}"

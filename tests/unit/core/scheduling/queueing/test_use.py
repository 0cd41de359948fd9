"""Past use halves in each half-life, is exact under additions and removals, and needs no clock to be compared."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from provisioner_operator.core.scheduling.queueing.policy import PastRun
from provisioner_operator.core.scheduling.queueing.use import PastUse
from support.builders.core import NOON
from support.builders.queues import a_past_run

HOUR = 3600.0
RUNS = st.lists(
    st.builds(
        lambda at, took, group: a_past_run(started=at, finished=at + took, initiator=group),
        st.floats(NOON - 300 * HOUR, NOON),
        st.floats(0, 5 * HOUR),
        st.sampled_from("ab"),
    )
)


def the_use(*runs: PastRun, now: float = NOON) -> PastUse:
    use = PastUse(HOUR)
    use.advance(now)
    for number, run in enumerate(runs):
        use.add(a_past_run(f"{number}", started=run.started, finished=run.finished), run.initiator or "")
    return use


def test_a_run_that_is_a_half_life_older_counts_half() -> None:
    new = a_past_run(started=NOON - HOUR, finished=NOON, initiator="new")
    old = a_past_run(started=NOON - 2 * HOUR, finished=NOON - HOUR, initiator="old")
    use = the_use(new, old)
    assert use.of("new") == 2 * use.of("old")
    assert use.of("nobody") == 0


def test_what_lies_more_than_256_half_lives_back_is_forgotten_and_what_lies_128_back_is_not() -> None:
    forgotten = a_past_run(started=NOON - 270 * HOUR, finished=NOON - 256 * HOUR, initiator="a")
    known = a_past_run(started=NOON - 128 * HOUR, finished=NOON - 127 * HOUR, initiator="b")
    use = the_use(forgotten, known)
    assert use.of("a") == 0
    assert use.of("b") > 0
    assert len(use) == 1
    assert "1" in use
    assert use.remove("0") is None


def test_a_clock_that_is_years_ahead_costs_nothing() -> None:
    use = the_use(a_past_run(started=NOON, finished=NOON + 10_000_000 * HOUR, initiator="a"))
    assert use.of("a").bit_length() < 400


@given(RUNS, st.data())
def test_removing_runs_leaves_what_was_never_added(runs: list[PastRun], data: st.DataObject) -> None:
    use = the_use(*runs)
    gone = data.draw(st.sets(st.integers(0, max(0, len(runs) - 1))))
    for number in gone:
        use.remove(f"{number}")
    kept = the_use(*(run for number, run in enumerate(runs) if number not in gone))
    assert {group: use.of(group) for group in "ab"} == {group: kept.of(group) for group in "ab"}


@given(RUNS, st.floats(0, 400 * HOUR))
def test_time_that_passed_makes_the_sums_that_a_new_process_has(runs: list[PastRun], passed: float) -> None:
    use = the_use(*runs)
    assert use.advance(NOON + passed) == (NOON + passed >= the_use().next_move)
    anew = the_use(*runs, now=NOON + passed)
    assert {group: use.of(group) for group in "ab"} == {group: anew.of(group) for group in "ab"}
    assert sorted(run.uid for run in use.runs()) == sorted(run.uid for run in anew.runs())


@given(st.lists(st.integers(-14, 0), min_size=1), st.lists(st.integers(-14, 0), min_size=1))
def test_groups_compare_as_the_decayed_time_of_their_runs(ones: list[int], others: list[int]) -> None:
    def decayed(starts: list[int]) -> Fraction:
        return sum((Fraction(2) ** start for start in starts), Fraction(0))

    zero = round(NOON // HOUR) * HOUR
    use = PastUse(HOUR)
    use.advance(zero)
    for group, starts in (("a", ones), ("b", others)):
        for number, start in enumerate(starts):
            began = zero + start * HOUR
            use.add(a_past_run(f"{group}{number}", started=began, finished=began + HOUR), group)
    assert (use.of("a") < use.of("b")) == (decayed(ones) < decayed(others))
    assert (use.of("a") == use.of("b")) == (decayed(ones) == decayed(others))


def test_a_group_keeps_the_use_of_its_other_runs() -> None:
    runs = [a_past_run(started=NOON - hours * HOUR, finished=NOON, initiator="ann") for hours in (1, 2)]
    use = the_use(*runs)
    assert use.remove("1") == "ann"
    assert use.of("ann") == the_use(runs[0]).of("ann")

"""Only a job that was held back is claimable later than its creation."""

from provisioner_operator.core.scheduling.claimable_times import ClaimableTimes
from support.builders.core import NOON, a_job


def test_a_job_that_was_never_held_back_is_claimable_from_its_creation() -> None:
    times = ClaimableTimes()
    times.free(a_job(), NOON + 5)
    assert times.of(a_job()) == NOON


def test_the_first_release_counts_until_it_is_held_back_again() -> None:
    times, job = ClaimableTimes(), a_job()
    times.hold(job)
    assert times.of(job) == NOON
    times.free(job, NOON + 5)
    times.free(job, NOON + 9)
    assert times.of(job) == NOON + 5
    times.hold(job)
    times.free(job, NOON + 20)
    assert times.of(job) == NOON + 20


def test_a_clock_that_was_set_back_makes_nothing_claimable_before_its_creation() -> None:
    times, job = ClaimableTimes(), a_job()
    times.hold(job)
    times.free(job, NOON - 60)
    assert times.of(job) == NOON


def test_what_is_forgotten_counts_from_its_creation() -> None:
    times, one, other = ClaimableTimes(), a_job("one"), a_job("other")
    for job in (one, other):
        times.hold(job)
        times.free(job, NOON + 5)
    times.forget(one.uid)
    assert (times.of(one), times.of(other)) == (NOON, NOON + 5)
    times.clear()
    assert times.of(other) == NOON

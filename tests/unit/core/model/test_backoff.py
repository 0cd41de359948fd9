"""Pauses between attempts grow to the longest one, however often and for however long something fails."""

from itertools import pairwise

import pytest

from provisioner_operator.core.model.backoff import LONGEST_PAUSE_SECONDS, doubled, pause_after

A_YEARS_FAILURES = 1_000_000


@pytest.mark.parametrize(("first", "longest"), [(1.0, 300.0), (1.0, 5.0), (10.0, 300.0), (30.0, 3600.0), (2.0, 16.0)])
def test_a_pause_doubles_until_it_is_the_longest(first: float, longest: float) -> None:
    pauses = [doubled(first, times, longest) for times in range(20)]
    assert pauses[0] == first
    assert all(later == min(2 * earlier, longest) for earlier, later in pairwise(pauses))
    assert doubled(first, A_YEARS_FAILURES, longest) == pauses[-1] == longest


def test_no_pause_is_longer_than_five_minutes_and_a_transient_one_not_longer_than_five_seconds() -> None:
    assert pause_after(A_YEARS_FAILURES) == LONGEST_PAUSE_SECONDS == 300
    assert pause_after(A_YEARS_FAILURES, transient=True) == 5

"""The clusters whose growth is measured are what they are called; the measured times are not tested."""

import pytest

from bench.plan import FULL, QUICK
from bench.scenarios.growing import KINDS, SERIES, Series
from bench.scenarios.growth import held_bytes, microseconds


@pytest.mark.parametrize("series", SERIES, ids=lambda series: f"{series.what}, {series.of}")
def test_each_step_can_be_repeated_in_clusters_of_two_sizes(series: Series) -> None:
    for size in (10, 30):
        assert microseconds(series.prepare(size), 3) > 0


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_object_takes_memory(kind: str) -> None:
    fill = KINDS[kind]
    assert held_bytes(fill, 20) > 100


def test_an_exponent_needs_different_sizes_in_a_quick_run_too() -> None:
    for plan in (FULL, QUICK):
        for series in SERIES:
            sizes = {size // plan.smaller for size in series.sizes}
            assert len(sizes) == len(series.sizes)
            assert min(sizes) > 0

"""Values are short, and their units are those of Grafana."""

import math

import pytest

from provisioner_devcluster.monitoring.units import factor_of, format_value


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0, "short", "0"),
        (12, "short", "12"),
        (1_234, "short", "1.23 k"),
        (-1_234, "short", "-1.23 k"),
        (0.0667, "ops", "0.0667 /s"),
        (0, "s", "0 s"),
        (0.0004, "s", "400 µs"),
        (59.9, "s", "59.9 s"),
        (90, "s", "1.5 min"),
        (7_200, "s", "2 h"),
        (0.125, "percentunit", "12.5 %"),
        (80 * 2**20, "bytes", "80 MiB"),
        (3, "watt", "3 watt"),
        (math.nan, "s", "-"),
        (math.inf, "s", "∞"),
        (-math.inf, "s", "-∞"),
    ],
)
def test_a_value_is_written_in_its_unit(value: float, unit: str, text: str) -> None:
    assert format_value(value, unit) == text


def test_the_factor_is_that_of_the_written_unit() -> None:
    assert [factor_of(value, "s") for value in (0, 0.5, 30, 200, 7_200)] == [1, 1e-3, 1, 60, 3_600]
    assert factor_of(30, "watt") == 1

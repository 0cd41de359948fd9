"""Charts draw what the series say: values at their heights, gaps as gaps, buckets without what smaller ones count."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner_devcluster.monitoring.charts.axes import Frame, round_values
from provisioner_devcluster.monitoring.charts.heatmap import heatmap
from provisioner_devcluster.monitoring.charts.line_chart import line_chart
from provisioner_devcluster.monitoring.charts.timeline import timeline
from provisioner_devcluster.monitoring.queries import Series, Window

WINDOW = Window(end=1_000.0, seconds=100, step=10, scrape=5)


def a_series(*points: tuple[float, float], **labels: str) -> Series:
    return Series(labels, points)


def begins(path: str) -> int:
    return path.count("M")


@given(
    low=st.floats(-1e9, 1e9).map(lambda value: min(value, 0.0)),
    high=st.floats(0, 1e9),
    factor=st.sampled_from([1.0, 60.0, 2.0**20]),
)
def test_an_axis_has_a_few_values_that_enclose_all(low: float, high: float, factor: float) -> None:
    values = round_values(low, high, factor)
    room = 1e-6 * max(abs(low), high, 1.0)
    assert values[0] <= low + room
    assert values[-1] >= high - room
    assert 2 <= len(values) <= 8
    assert values == sorted(set(values))


def test_a_line_goes_through_its_values() -> None:
    chart = line_chart([("depth", a_series((900, 0), (1_000, 8)))], WINDOW, unit="short", width=600)
    (line,) = chart.lines
    frame = chart.frame
    assert line.path.endswith(f"L{frame.x(1_000)} {frame.y(8, 0, 8)}")
    assert (line.name, line.last) == ("depth", "8")
    assert (frame.x(900), frame.x(1_000)) == (frame.left, frame.width)
    assert chart.values[0] == (frame.floor, "0")


def test_a_line_ends_where_values_are_missing() -> None:
    points = [(900.0, 1.0), (910.0, 2.0), (940.0, 3.0), (950.0, math.nan), (960.0, 4.0)]
    (line,) = line_chart([("", a_series(*points))], WINDOW, unit="short", width=600).lines
    assert begins(line.path) == 3


def test_a_series_of_no_number_is_an_empty_line() -> None:
    (line,) = line_chart([("", a_series((900, math.nan)))], WINDOW, unit="s", width=600).lines
    assert (line.path, line.last) == ("", "-")


def test_an_axis_of_seconds_is_round_in_minutes() -> None:
    chart = line_chart([("", a_series((900, 100), (1_000, 240)))], WINDOW, unit="s", width=600)
    assert [text for _, text in chart.values] == ["0 s", "1 min", "2 min", "3 min", "4 min"]


def test_times_are_round_and_within_the_chart() -> None:
    frame = Frame(600, 200, 50, 8, 20, begin=1_003, end=1_303)
    times = frame.times()
    assert [text for _, text in times] == ["00:17", "00:18", "00:19", "00:20", "00:21"]
    assert all(frame.left <= x <= frame.width for x, _ in times)


def test_a_bucket_has_only_what_no_smaller_one_counts() -> None:
    buckets = [a_series((1_000, 5), le="+Inf"), a_series((1_000, 2), le="1"), a_series((1_000, 5), le="10")]
    chart = heatmap(buckets, WINDOW, unit="s", width=600)
    assert [re.match(r"\S+", cell.title)[0] for cell in chart.cells] == ["2", "3"]  # type: ignore[index]
    assert [text for _, text in chart.values] == ["1 s", "10 s", "∞"]
    assert chart.cells[1].strength > chart.cells[0].strength


def test_a_timeline_has_a_piece_for_each_change() -> None:
    leader = a_series((900, 1), (910, 1), (920, 0), (950, 0), (1_000, 0))
    (bar,) = timeline([("a", leader)], WINDOW, unit="short", width=600).bars
    assert [piece.is_on for piece in bar.pieces] == [True, False, False, False]
    assert bar.pieces[0].width == pytest.approx(2 * bar.pieces[1].width, abs=0.2)

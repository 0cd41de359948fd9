"""Geometry of the chart of stages."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from provisioner_operator.api.v1alpha1.job_status import StageTiming
from provisioner_operator.web.page.jobs.stages import BAR_LEFT, BAR_WIDTH, ROW_HEIGHT, chart_of
from support.builders.core import NOON

START = datetime.fromtimestamp(NOON, UTC)


def a_stage(name: str, start: float, end: float | None) -> StageTiming:
    return StageTiming(
        stage=name,
        started_at=START + timedelta(seconds=start),
        finished_at=None if end is None else START + timedelta(seconds=end),
    )


def test_bars_stand_where_their_stages_were() -> None:
    chart = chart_of([a_stage("init", 0, 25), a_stage("apply", 25, 100)], NOON + 500, NOON + 100)
    assert chart is not None
    init, apply = chart.bars
    assert (init.left, init.width) == (BAR_LEFT, BAR_WIDTH / 4)
    assert (apply.left, apply.width) == (BAR_LEFT + BAR_WIDTH / 4, BAR_WIDTH * 3 / 4)
    assert chart.height == 2 * ROW_HEIGHT
    assert chart.summary == "Stages of the run, 1m 40s in total: init 25s, apply 1m 15s."


def test_a_stage_without_an_end_lasts_until_now() -> None:
    chart = chart_of([a_stage("apply", 0, None)], NOON + 60)
    assert chart is not None
    assert chart.bars[0].running
    assert chart.bars[0].elapsed.since == NOON
    assert "apply 1m so far" in chart.summary


def test_a_stage_that_a_crash_left_open_ends_with_the_run() -> None:
    chart = chart_of([a_stage("apply", 0, None)], NOON + 600, NOON + 60)
    assert chart is not None
    assert not chart.bars[0].running
    assert chart.bars[0].elapsed.text == "1m"


def test_no_stages_make_no_chart() -> None:
    assert chart_of([], NOON) is None


@given(st.lists(st.tuples(st.integers(0, 100_000), st.none() | st.integers(0, 100_000)), min_size=1, max_size=16))
def test_every_bar_is_visible_and_inside_the_chart(spans: list[tuple[int, int | None]]) -> None:
    stages = [a_stage("x", start, None if length is None else start + length) for start, length in spans]
    chart = chart_of(stages, NOON)
    assert chart is not None
    for bar in chart.bars:
        assert bar.width > 0
        assert bar.left >= BAR_LEFT - 0.01
        assert bar.left + bar.width <= BAR_LEFT + BAR_WIDTH + 0.02

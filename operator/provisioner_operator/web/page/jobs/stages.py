"""Geometry of the chart of a job's stages. Pure: percentages of the chart's width, for an SVG that needs no style."""

from collections.abc import Sequence
from dataclasses import dataclass

from provisioner_operator.api.v1alpha1.job_status import StageTiming
from provisioner_operator.web.page.times import Elapsed, duration, elapsed

_THINNEST = 0.6
"""Width of a bar in percent that can still be seen."""
ROW_HEIGHT = 28
BAR_LEFT, BAR_WIDTH = 20.0, 60.0
"""Left edge and width of the chart's area of bars, in percent: names stand before it, durations after it."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One stage as a bar."""

    stage: str
    left: float
    """Distance of the bar from the chart's left edge, in percent."""
    width: float
    top: int
    started: str
    elapsed: Elapsed
    running: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """All stages of a run."""

    bars: tuple[Bar, ...]
    height: int
    total: str
    """Time from the first start to the last end."""
    left: float = BAR_LEFT
    width: float = BAR_WIDTH

    @property
    def summary(self) -> str:
        """The chart in a sentence, for those who do not see it."""
        parts = [f"{bar.stage} {bar.elapsed.text}{' so far' if bar.running else ''}" for bar in self.bars]
        return f"Stages of the run, {self.total} in total: {', '.join(parts)}."


def chart_of(timings: Sequence[StageTiming], now: float, finished: float | None = None) -> Chart | None:
    """Return the chart; None without stages. A stage without an end lasts until the run's end, or until now."""
    if not timings:
        return None
    until = finished if finished is not None else now
    spans = [
        (
            each.started_at.timestamp(),
            each.finished_at.timestamp() if each.finished_at else max(until, each.started_at.timestamp()),
        )
        for each in timings
    ]
    first, last = min(start for start, _ in spans), max(end for _, end in spans)
    scale = BAR_WIDTH / max(last - first, 1e-9)
    bars = []
    for at, (timing, (start, end)) in enumerate(zip(timings, spans, strict=True)):
        width = min(max((end - start) * scale, _THINNEST), BAR_WIDTH)
        left = min(BAR_LEFT + (start - first) * scale, BAR_LEFT + BAR_WIDTH - width)
        is_running = timing.finished_at is None and finished is None
        bars.append(
            Bar(
                stage=timing.stage,
                left=round(left, 2),
                width=round(width, 2),
                top=at * ROW_HEIGHT,
                started=timing.started_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
                elapsed=elapsed(int(end - start), start if is_running else None),
                running=is_running,
            )
        )
    return Chart(tuple(bars), ROW_HEIGHT * len(bars), duration(last - first))

"""Of a long log the end is kept, with its numbers, and a notice of what is missing."""

from hypothesis import given
from hypothesis import strategies as st

from provisioner_operator.core.views.log_lines import Line, LogLevel
from provisioner_operator.web.logs.lines import LogLine, numbered
from provisioner_operator.web.logs.recent_lines import RecentLines

STARTED = "2027-01-15T08:00:00Z"
LINES = st.lists(st.builds(lambda text: Line(text, STARTED, "apply"), st.text("ab", max_size=5)), max_size=12)


@given(LINES, st.integers(1, 12), st.integers(5, 30))
def test_the_end_of_a_log_is_kept(lines: list[Line], most: int, characters: int) -> None:
    recent = RecentLines(time=STARTED, most=most, characters=characters)
    for line in lines:
        recent.add(line)

    whole = numbered(lines, time=STARTED)
    kept = tuple(line for line in recent.lines() if line.stage)
    left_out = whole[: len(whole) - len(kept)]
    assert kept == whole[len(left_out) :]
    assert len(kept) <= most
    assert sum(len(line.text) for line in kept) <= characters
    assert recent.truncated == bool(left_out)
    if left_out:
        assert len(kept) == most or sum(len(line.text) for line in (left_out[-1], *kept)) > characters


def test_a_notice_takes_the_place_of_the_last_line_that_is_left_out() -> None:
    recent = RecentLines(most=1)
    for text in "abc":
        recent.add(Line(text, STARTED, "apply"))

    notice, last = recent.lines()
    assert (notice.number, notice.time, notice.stage, notice.level) == (2, STARTED, "", LogLevel.WARN)
    assert "first 2 lines" in notice.text
    assert last == LogLine(3, STARTED, "apply", LogLevel.INFO, "c")

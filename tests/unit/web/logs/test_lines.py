"""Numbers of lines, and what a reader who has some of them gets next."""

from hypothesis import given
from hypothesis import strategies as st

from provisioner_operator.core.views.log_lines import Line, LogLevel, parse_archived
from provisioner_operator.daemon.logs.log_buffer import JobLog
from provisioner_operator.web.logs.lines import LogLine, Progress, numbered

STARTED = "2027-01-15T08:00:00Z"


def at(second: int) -> str:
    return f"2027-01-15T08:{second // 60:02}:{second % 60:02}Z"


LINES = st.lists(st.builds(lambda text: Line(text, STARTED, "apply"), st.text("ab\n\x1b")), max_size=12)


def test_a_line_has_its_number_its_severity_and_no_codes_for_terminals() -> None:
    lines = [Line("\x1b[31mError: no\x1b[0m", STARTED, "apply"), Line("Error: no", STARTED, "apply")]
    first, second = numbered(lines)
    assert first == LogLine(1, STARTED, "apply", LogLevel.INFO, "Error: no")
    assert second == LogLine(2, STARTED, "apply", LogLevel.ERROR, "Error: no")


def test_a_notice_has_the_time_of_the_line_before_it() -> None:
    notice = Line("--- 12 bytes were left out here: the log exceeds its limit ---")
    first, second = numbered([notice, Line("a", at(5), "init")], time=STARTED)
    assert (first.time, first.stage, second.time) == (STARTED, "", at(5))
    assert [line.time for line in numbered([Line("a", at(5), "init"), notice])] == [at(5), at(5)]


@given(LINES, st.data())
def test_a_reader_who_comes_back_gets_each_line_once(lines: list[Line], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(lines)))
    before = [*Progress().add_rest(lines[:cut])]
    after = [*Progress(cut).add_rest(lines)]
    assert (*before, *after) == numbered(lines)


@given(LINES, st.lists(st.integers(0, 12)))
def test_a_log_that_is_read_as_it_grows_is_read_whole(lines: list[Line], sizes: list[int]) -> None:
    progress = Progress()
    parts = [[*progress.add_rest(lines[:size])] for size in [*sorted(sizes), len(lines)]]
    assert tuple(line for part in parts for line in part) == numbered(lines)


@given(st.integers(1, 400), st.booleans())
def test_no_line_of_the_end_is_missing_after_the_middle_was_left_out(seen: int, alike: bool) -> None:  # noqa: FBT001 - an example
    written = [
        Line("Still creating..." if alike else f"line {number}", at(number // 4), "apply") for number in range(400)
    ]
    log = JobLog(cap=2000)
    for line in written:
        log.append(f"{line.time} {line.stage}: {line.text}")
    progress = Progress()
    live = [progress.add(line) for line in written[:seen]]

    rest = [*progress.add_rest(list(parse_archived(log.text())))]

    kept_end = log.text().split("---\n")[1].splitlines()
    expected = kept_end[-(400 - seen) :] if seen < 400 else []
    shown = [f"{line.time} {line.stage}: {line.text}" for line in [*live, *rest]]
    assert shown[len(shown) - len(expected) :] == expected
    assert [line.number for line in [*live, *rest]] == list(range(1, len(live) + len(rest) + 1))

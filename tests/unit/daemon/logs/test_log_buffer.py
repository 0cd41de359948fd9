import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner_operator.daemon.logs.log_buffer import JobLog, cut_line

CAP = 1024 * 1024
LONGEST_LINE = 8 * 1024
NOTICE_ROOM = 256

LINES = st.lists(st.text(st.characters(exclude_characters="\n\r"), max_size=200), max_size=60)


def filled(lines: list[str], cap: int = CAP) -> JobLog:
    log = JobLog(cap)
    for line in lines:
        log.append(line)
    return log


def test_a_short_log_is_kept_as_it_was_written() -> None:
    log = filled(["one", "two"])
    assert (log.text(), log.size, log.truncated) == ("one\ntwo\n", 8, False)


def test_a_long_log_keeps_its_beginning_and_its_end_and_says_how_much_is_missing() -> None:
    log = filled([f"line {number:04}" for number in range(1000)], cap=2000)
    kept = log.text().splitlines()
    assert kept[0] == "line 0000"
    assert kept[-1] == "line 0999"
    missing = 10 * (1000 - (len(kept) - 1))
    assert f"--- {missing} bytes were left out here: the log exceeds its limit ---" in kept
    assert log.truncated
    assert log.size == 10_000


def test_a_flood_stays_below_what_a_config_map_holds() -> None:
    log = filled(["x" * 1000] * 5000)
    assert CAP - 2048 < len(log.text().encode()) <= CAP


@pytest.mark.parametrize("cap", [600, 2000, 4096])
@pytest.mark.parametrize("line", ["", "x", "x" * 99])
def test_a_flood_fills_the_cap_and_never_exceeds_it(cap: int, line: str) -> None:
    log = filled([line] * cap, cap)
    assert log.truncated
    assert cap - NOTICE_ROOM - 2 * len(line) - 2 <= len(log.text().encode()) <= cap


@given(LINES, st.integers(600, 4000))
def test_no_log_exceeds_its_cap_and_all_bytes_are_accounted_for(lines: list[str], cap: int) -> None:
    log = filled(lines, cap)
    text = log.text().encode()
    assert len(text) <= cap
    assert log.size == sum(len(line.encode(errors="replace")) + 1 for line in lines)
    if not log.truncated:
        assert len(text) == log.size


@given(LINES, st.integers(600, 4000))
def test_what_is_kept_are_whole_lines_in_order(lines: list[str], cap: int) -> None:
    log = filled(lines, cap)
    kept = [line for line in log.text().split("\n")[:-1] if not line.startswith("--- ")]
    rest = iter([line.encode(errors="replace").decode() for line in lines])
    assert all(line in rest for line in kept)


@given(st.text(max_size=100), st.integers(1, 50))
def test_a_long_line_is_cut_at_a_character_and_says_so(text: str, limit: int) -> None:
    cut = cut_line(text, limit)
    if len(text.encode(errors="replace")) <= limit:
        assert cut == text
    else:
        assert cut.endswith("bytes of this line were cut]")
        assert len(cut.partition("… [")[0].encode()) <= limit


def test_the_limit_of_a_line_is_generous() -> None:
    assert cut_line("x" * LONGEST_LINE) == "x" * LONGEST_LINE

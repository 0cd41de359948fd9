"""Words are found in the lines that contain them, few or many."""

from hypothesis import given
from hypothesis import strategies as st

from provisioner_operator.web.index.line_text import LineText


def found(text: LineText, word: str) -> list[int]:
    return [number for block in text.containing(word) for number in block]


@given(st.lists(st.text("aAb-", max_size=4), max_size=700), st.text("ab-", min_size=1, max_size=3))
def test_the_lines_that_contain_a_word_are_found(lines: list[str], word: str) -> None:
    text = LineText(lambda number: lines[number] if number < len(lines) else "")
    for number in range(len(lines)):
        text.changed(number)
    assert found(text, word) == [number for number, line in enumerate(lines) if word in line.lower()]


def test_a_line_that_changes_is_found_by_what_it_is_now() -> None:
    lines = ["one"] * 1000
    text = LineText(lambda number: lines[number] if number < len(lines) else "")
    text.changed(999)
    assert found(text, "two") == []

    lines[600] = "two"
    text.changed(600)
    assert found(text, "two") == [600]
    assert len(found(text, "one")) == 999


def test_what_is_prepared_is_not_put_together_again_by_a_search() -> None:
    asked: list[int] = []

    def line_of(number: int) -> str:
        asked.append(number)
        return "line"

    text = LineText(line_of)
    text.changed(0)
    text.prepare()
    prepared = len(asked)
    assert found(text, "line")
    assert len(asked) == prepared > 0

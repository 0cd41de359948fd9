"""Text without codes for terminals."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner_operator.core.model.printable_text import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[1;31mred\x1b[0m\ta\x00b", "red\ta\N{REPLACEMENT CHARACTER}b"),
        ("\x1b]8;;https://example.com\x07link\x1b]8;;\x07", "link"),
        ("\x1b]0;title\x1b\\text", "text"),
        ("\x1b]no end", "no end"),
        ("\x1bMup\x9b31m", "up\N{REPLACEMENT CHARACTER}31m"),
        ("plain ünï", "plain ünï"),
    ],
)
def test_codes_are_removed_and_control_characters_replaced(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text(st.sampled_from("\x1b[]\x07\\0;mAx\x9b\n\t") | st.characters()))
def test_what_is_shown_has_no_control_characters_and_stays_as_it_is(text: str) -> None:
    shown = printable(text)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", shown)
    assert printable(shown) == shown

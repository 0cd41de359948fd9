"""Text of other people becomes harmless before it is shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner_operator.web.page.rendering import render
from provisioner_operator.web.page.text import plain, web_link

hostile = st.lists(
    st.sampled_from(
        [
            "<script>",
            "</td>",
            '"',
            "'",
            "&",
            "<",
            ">",
            "\x1b[31m",
            "\x1b]8;;http://x\x07",
            "\x00",
            "\u202e",
            "a",
            "{{",
            "\n",
        ]
    )
    | st.text(max_size=3),
    max_size=8,
).map("".join)


@given(hostile)
def test_plain_text_has_no_codes_of_terminals_and_no_control_characters(text: str) -> None:
    found = plain(text)
    assert not any(ord(each) < 32 and each not in "\n\t" for each in found)
    assert not set(found) & set("\x7f\x9b\u202a\u202b\u202d\u202e\u2066\u2067\u2068")


@given(st.text(alphabet=st.characters(categories=["L", "N", "P"]), max_size=20))
def test_plain_text_keeps_what_people_wrote(text: str) -> None:
    assert plain(text) == text


@given(hostile)
def test_a_template_escapes_whatever_it_shows(text: str) -> None:
    html = render("parts/same.html", key=text, text=text)
    assert html.count("<") == 2
    assert html.count(">") == 2
    assert html.count('"') == 4
    assert "\x1b" not in html


@given(hostile)
def test_a_form_shows_the_words_of_the_server_as_text(text: str) -> None:
    row = render(
        "jobs/log_line.html", line={"number": 1, "time": "", "exact": "", "stage": text, "level": "info", "text": text}
    )
    assert row.count("<span") == 2
    assert "<script" not in row
    assert "\x1b" not in row


def test_colors_of_terraform_are_left_out() -> None:
    assert plain("\x1b[1m\x1b[31mError:\x1b[0m no such file") == "Error: no such file"


@pytest.mark.parametrize("address", ["http://example.com/", "https://dev.example.com:8443/path?x=1#part"])
def test_a_web_address_is_a_link(address: str) -> None:
    assert web_link(address) == address


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JAVASCRIPT:alert(1)",
        "java\tscript:alert(1)",
        " https://example.com",
        "data:text/html,<script>alert(1)</script>",
        "//example.com",
        "/path",
        "https:",
        "https://[broken",
        "https://example.com/\\evil",
        "ftp://example.com",
        "",
    ],
)
def test_anything_else_is_none(address: str) -> None:
    assert web_link(address) is None

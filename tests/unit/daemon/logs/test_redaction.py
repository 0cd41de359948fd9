import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner_operator.daemon.logs.redaction import MASK, Redactor

KEY = "-----BEGIN KEY-----\nMIIEvQIBADANBg\n}\n-----END KEY-----\n"


@given(st.text(st.characters(codec="utf-8"), min_size=8), st.text(st.characters(codec="utf-8")), st.text())
def test_a_secret_is_never_shown(secret: str, before: str, after: str) -> None:
    if secret.strip() and secret not in MASK:
        shown = Redactor([secret])(before + secret + after)
        assert secret not in shown.replace(MASK, "\0")


@pytest.mark.parametrize("form", ['say "hi"\tnow', json.dumps('say "hi"\tnow')])
def test_a_secret_is_found_where_it_is_written_as_json(form: str) -> None:
    assert "hi" not in Redactor(['say "hi"\tnow'])(f"value={form}")


@pytest.mark.parametrize("ascii_only", [True, False])
def test_a_secret_that_is_not_ascii_is_masked_whole_also_where_json_escapes_it(*, ascii_only: bool) -> None:
    secret = 'päss"wort-\N{KEY}'
    shown = Redactor([secret])(json.dumps({"a": secret}, ensure_ascii=ascii_only))
    assert shown == f'{{"a": "{MASK}"}}'


def test_the_lines_of_a_long_secret_are_masked_one_by_one() -> None:
    redact = Redactor([KEY])
    assert redact("MIIEvQIBADANBg") == MASK
    assert redact("}") == "}"


def test_a_trailing_newline_of_a_secret_does_not_hide_it() -> None:
    assert Redactor(["hunter2\n"])("password hunter2.") == f"password {MASK}."


def test_very_short_values_are_left_alone() -> None:
    assert Redactor(["1", "no", ""])("1 node") == "1 node"


def test_a_secret_that_contains_another_is_masked_whole() -> None:
    assert Redactor(["abc", "abcdef"])("abcdef") == MASK

import base64
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner_operator.daemon.logs.redaction import MASK, Redactor

LONGEST_PIECE = 1024

KEY = "-----BEGIN KEY-----\nMIIEvQIBADANBg\n}\n-----END KEY-----\n"
TEXT = st.text(st.characters(codec="utf-8"))
SECRETS = st.text(st.characters(codec="utf-8"), min_size=8).filter(
    lambda text: len(text.strip()) >= 8 and text not in MASK
)
SPECIAL = st.text(st.sampled_from("ab0<>&\"'\\/$%{}+ =\n\r\tü\N{KEY}\u2028\x7f"), min_size=8, max_size=80).filter(
    lambda text: len(text.strip()) >= 8
)


def go_json(text: str) -> str:
    """Encode as `jsonencode` of Terraform does."""
    shown = json.dumps(text, ensure_ascii=False)[1:-1]
    for character in "<>&\u2028\u2029":
        shown = shown.replace(character, f"\\u{ord(character):04x}")
    return shown


ENCODERS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "JSON in ASCII": lambda text: json.dumps(text)[1:-1],
    "JSON": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "JSON of Go": go_json,
    "JSON of PHP": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "JSON in JSON": lambda text: go_json(go_json(text)),
    "Terraform's language": lambda text: go_json(text).replace("${", "$${").replace("%{", "%%{"),
    "URL": lambda text: quote(text, safe=""),
    "URL's path": quote,
    "URL of JavaScript": lambda text: quote(text, safe="!'()*"),
    "URL in lower case": lambda text: quote(text, safe="").replace("%2F", "%2f").replace("%3C", "%3c"),
    "form": quote_plus,
}


def remains(secret: str, redacted: str, encode: Callable[[str], str]) -> bool:
    return encode(secret) in redacted.replace(MASK, "\0")


@given(SECRETS | SPECIAL, TEXT, TEXT, st.sampled_from(sorted(ENCODERS)))
def test_a_secret_is_never_shown_however_it_is_encoded(secret: str, before: str, after: str, name: str) -> None:
    encode = ENCODERS[name]
    shown = Redactor([secret])(encode(before) + encode(secret) + encode(after))
    assert not remains(secret, shown, encode)
    assert MASK in shown


@given(SECRETS | SPECIAL, st.binary(), st.binary(), st.sampled_from([base64.b64encode, base64.urlsafe_b64encode]))
def test_a_secret_is_masked_inside_base64(
    secret: str, before: bytes, after: bytes, encode: Callable[[bytes], bytes]
) -> None:
    shown = Redactor([secret])(encode(before + secret.encode() + after).decode())
    alone = base64.b64encode(bytes(len(before) % 3) + secret.encode()).decode()
    assert MASK in shown
    assert alone[4:-4] not in shown.replace(MASK, "\0")


@given(SECRETS | SPECIAL)
def test_the_base64_of_a_secret_leaves_no_character(secret: str) -> None:
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        shown = Redactor([secret])(f"[{encode(secret.encode()).decode()}]")
        assert shown == f"[{MASK}]"
        assert Redactor([secret])(quote(encode(secret.encode()).decode(), safe="")) == MASK


@given(st.lists(SECRETS, max_size=5), TEXT)
def test_text_without_a_secret_is_left_as_it_is(secrets: list[str], text: str) -> None:
    digits = "".join(str(ord(character) % 10) for character in text)
    assert Redactor(f"x{secret}" for secret in secrets)(digits) == digits


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


def test_a_line_break_is_one_in_any_notation() -> None:
    assert Redactor(["a\nb"])("a\r\nb a\\nb a%0D%0Ab") == f"{MASK} {MASK} {MASK}"


def test_a_trailing_newline_of_a_secret_does_not_hide_it() -> None:
    assert Redactor(["hunter2\n"])("password hunter2.") == f"password {MASK}."


def test_very_short_values_are_left_alone() -> None:
    assert Redactor(["1", "no", ""])("1 node") == "1 node"


def test_a_secret_that_contains_another_is_masked_whole() -> None:
    assert Redactor(["abc", "abcdef"])("abcdef") == MASK


def test_a_very_long_secret_is_masked_in_pieces() -> None:
    secret = "".join(f"{number}," for number in range(1000))
    shown = Redactor([secret])(f"[{secret}]")
    assert shown == f"[{MASK * (len(secret) // LONGEST_PIECE + 1)}]"


def test_many_long_secrets_are_masked_in_any_order() -> None:
    secrets = [f"{number}-" * 200 + "end" for number in range(150)]
    redact = Redactor(secrets)
    assert redact(" ".join(secrets)) == " ".join([MASK] * len(secrets))


def test_text_that_is_no_unicode_is_survived() -> None:
    assert Redactor(["hunter2"])("\udcff hunter2") == f"\udcff {MASK}"

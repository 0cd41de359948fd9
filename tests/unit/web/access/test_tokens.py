"""Tokens are what RFC 6750 lets them be; they never show in a representation, and say when they expire."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner_operator.web.access.tokens import LONGEST_TOKEN, MalformedTokenError, Token, parse_token


def a_jwt(claims: object) -> str:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJSUzI1NiJ9.{body}.c2lnbmF0dXJl"


@pytest.mark.parametrize("text", ["abc", "abcdef.0123456789abcdef", "a-b_c~d+e/f==", a_jwt({"exp": 1})])
def test_tokens_of_every_usual_form_are_accepted(text: str) -> None:
    assert parse_token(text).value == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "a b",
        "good\r\nX-Remote-User: admin",
        "good\n",
        "\rgood",
        "good\x00",
        "good\x85",
        "gööd",
        'a"b',
        "a;b",
        "a,b",
        "=",
        "a=b",
        "x" * (LONGEST_TOKEN + 1),
    ],
    ids=ascii,
)
def test_threat_17_a_token_with_a_line_end_or_another_separator_is_malformed(text: str) -> None:
    with pytest.raises(MalformedTokenError) as error:
        parse_token(text)

    assert not text.strip() or text not in str(error.value)


@given(st.text(max_size=50))
def test_threat_17_no_accepted_token_can_add_a_header(text: str) -> None:
    try:
        token = parse_token(text)
    except MalformedTokenError:
        return
    assert token.value.isascii()
    assert token.value.isprintable()
    assert not set(token.value) & set(' \r\n\t;,"\\:')


def test_threat_19_a_token_is_hidden_from_its_representation() -> None:
    token = parse_token("very-secret")
    _ = token.digest, token.expires

    assert "very-secret" not in repr(token)
    assert "very-secret" not in f"{token} {[token]}"


def test_the_digest_tells_tokens_apart_and_does_not_contain_them() -> None:
    assert Token("one").digest == Token("one").digest
    assert Token("one").digest != Token("two").digest
    assert len(Token("one").digest) == 64


def test_a_token_of_the_cluster_says_when_it_expires() -> None:
    assert Token(a_jwt({"exp": 1_700_000_000})).expires == 1_700_000_000.0


@pytest.mark.parametrize(
    "text",
    [
        "opaque",
        "a.b",
        "a.b.c",
        "a.!.c",
        a_jwt({}),
        a_jwt([]),
        a_jwt({"exp": None}),
        a_jwt({"exp": "soon"}),
        a_jwt({"exp": 10**400}),
        a_jwt(1),
        f"a.{base64.urlsafe_b64encode(b'[' * 100_000).decode()}.c",
        f"a.{base64.urlsafe_b64encode(bytes([255, 254])).decode()}.c",
    ],
    ids=lambda text: text[:20],
)
def test_a_token_that_does_not_say_it_has_no_expiry(text: str) -> None:
    assert Token(text).expires is None

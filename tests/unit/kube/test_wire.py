"""Encoding and decoding of odd bodies."""

import json
from enum import StrEnum

import pytest

from provisioner_operator.kube import wire


class _Phase(StrEnum):
    PENDING = "Pending"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"phase": _Phase.PENDING, "tests": (1, 2)}, '{"phase":"Pending","tests":[1,2]}'),
        ({"message": "kein Schlüssel 🔑"}, '{"message":"kein Schlüssel 🔑"}'),
        ({"output": "half a \ud83d"}, '{"output": "half a ?"}'),
        ({"many": 2**70}, f'{{"many": {2**70}}}'),
    ],
    ids=["enums and tuples", "beyond ASCII", "a lone surrogate", "more than 64 bits"],
)
def test_what_a_body_is_sent_as(body: object, text: str) -> None:
    assert wire.encode(body).decode() == text


def test_what_was_sent_is_read_again() -> None:
    body = {"name": "dev-7", "tags": {"a": "b"}, "numbers": [0, -1, 1.5], "nothing": None}
    assert wire.decode(wire.encode(body)) == json.loads(json.dumps(body)) == body


@pytest.mark.parametrize("data", [b"", b"Bad Gateway", b'{"cut', b'"\xff"', b"[" * 5000], ids=repr)
def test_what_is_no_json_is_an_error_of_its_own(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"line 1|decod|UTF-8|recursion|character"):
        wire.decode(data)

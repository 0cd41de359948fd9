"""States as Terraform and OpenTofu write them: their heads, and the change of a serial."""

import json
import zlib

import pytest

from provisioner_operator.core.states import file as state_file
from provisioner_operator.core.states.file import (
    UnreadableStateError,
    pack,
    read_state,
    unpack,
    with_serial,
)
from support.builders.states import a_state


def test_the_head_of_a_state_is_read() -> None:
    state = read_state(a_state(serial=7, lineage="x", resources=2))
    assert (state.serial, state.lineage, state.resources) == (7, "x", 2)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "it is no JSON"),
        (b"[]", "it is no state of Terraform"),
        (b'{"serial": 1}', "it is no state of Terraform"),
        (b'{"serial": {}, "lineage": "x", "resources": []}', "it is no state of Terraform"),
        (b'{"serial": 1, "lineage": "x", "encrypted_data": "y"}', "it is encrypted"),
    ],
)
def test_what_is_no_readable_state_is_refused(text: bytes, said: str) -> None:
    with pytest.raises(UnreadableStateError, match=said):
        read_state(text)


def test_a_state_is_packed_as_the_backend_packs_it() -> None:
    text = a_state()
    assert unpack(pack(text)) == text
    assert zlib.decompress(pack(text), 31) == text


@pytest.mark.parametrize(
    ("packed", "said"), [(b"plain text", "not packed by gzip"), (pack(a_state())[:-9], "does not fit into one Secret")]
)
def test_what_is_not_packed_whole_is_refused(packed: bytes, said: str) -> None:
    with pytest.raises(UnreadableStateError, match=said):
        unpack(packed)


def test_a_state_that_would_fill_the_memory_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_file, "LARGEST_STATE", 1024 * 1024)
    with pytest.raises(UnreadableStateError, match="more than 1 MiB"):
        unpack(pack(bytes(4 * 1024 * 1024)))


def test_another_serial_changes_nothing_else_whatever_the_state_contains() -> None:
    precise = b'{\n  "version": 4,\n  "serial": 3,\n  "lineage": "x",\n  "outputs": {"a": {"value": 1.10, "serial": 3}},\n  "resources": []\n}'
    raised = with_serial(read_state(precise), 12)
    assert raised.text == precise.replace(b'"serial": 3,\n', b'"serial": 12,\n')
    assert (raised.serial, read_state(raised.text).serial) == (12, 12)


def test_a_serial_that_is_not_the_first_of_that_name_is_left_alone() -> None:
    odd = json.dumps({"outputs": {"serial": 1}, "serial": 1, "lineage": "x", "resources": []}).encode()
    with pytest.raises(UnreadableStateError, match="not at its beginning"):
        with_serial(read_state(odd), 2)

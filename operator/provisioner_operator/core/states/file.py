"""Read the head of a Terraform state, as it is packed in a Secret, and raise its serial. Pure.

A state is only ever changed as text: a parsed one that is written again could lose digits of large numbers.
"""

import json
import re
import zlib
from dataclasses import dataclass

LARGEST_STATE = 64 * 1024 * 1024
"""Bytes of a state that is looked into; a packed one may be unpacked to a thousand times its size."""
_GZIP = 31
"""The window size by which zlib is told to expect, and to write, a gzip header."""
_SERIAL = re.compile(rb'("serial"\s*:\s*)\d+')


class UnreadableStateError(ValueError):
    """The content is no state that can be read; the message says why, as the end of a sentence."""


@dataclass(frozen=True, slots=True)
class StateFile:
    """A state and what its head says."""

    text: bytes
    serial: int
    lineage: str
    """Identity that all later states of the same resources share."""
    resources: int
    """Number of instances of resources and data sources, as `terraform state list` lists them."""


def read_state(text: bytes) -> StateFile:
    """Return the state of this text. Raises UnreadableStateError."""
    try:
        state = json.loads(text)
    except ValueError:
        raise UnreadableStateError("it is no JSON") from None
    if isinstance(state, dict) and "encrypted_data" in state:
        raise UnreadableStateError("it is encrypted")
    try:
        resources = sum(len(each["instances"]) for each in state["resources"])
        return StateFile(text, int(state["serial"]), str(state["lineage"]), resources)
    except (LookupError, TypeError, ValueError):
        raise UnreadableStateError("it is no state of Terraform") from None


def unpack(packed: bytes) -> bytes:
    """Return the unpacked text. Raises UnreadableStateError, also for the first part of a state in several Secrets."""
    unpacker = zlib.decompressobj(_GZIP)
    try:
        text = unpacker.decompress(packed, LARGEST_STATE)
    except zlib.error:
        raise UnreadableStateError("it is not packed by gzip") from None
    if unpacker.eof:
        return text
    too_large = f"it has more than {LARGEST_STATE // 1024 // 1024} MiB"
    raise UnreadableStateError(too_large if unpacker.unconsumed_tail else "it does not fit into one Secret")


def pack(text: bytes) -> bytes:
    """Return the text packed as Terraform packs it."""
    packer = zlib.compressobj(wbits=_GZIP)
    return packer.compress(text) + packer.flush()


def with_serial(state: StateFile, serial: int) -> StateFile:
    """Return the same state with another serial. Raises UnreadableStateError if that would change anything else."""
    text = _SERIAL.sub(lambda found: found.group(1) + str(serial).encode(), state.text, count=1)
    if json.loads(text) != json.loads(state.text) | {"serial": serial}:
        raise UnreadableStateError("its serial is not at its beginning")
    return StateFile(text, serial, state.lineage, state.resources)

"""Read and write the Secrets of states, and of their versions. Pure; used by the daemon and the command line.

The versions of a workspace's state are one Secret of a type of its own, so that no Secret of another purpose is taken for one.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from provisioner_operator.api.v1alpha1.names import STATE_VERSIONS_TYPE, state_versions_name
from provisioner_operator.core.model.json_value import JsonObject
from provisioner_operator.core.states.file import UnreadableStateError
from provisioner_operator.core.states.lock import state_labels, state_secret
from provisioner_operator.core.states.versions import StateHistory, StateVersion

STATE_KEY = "tfstate"
"""Key of a state's Secret, of Terraform's backend."""
INDEX_KEY = "versions.json"


def packed_state(body: Mapping[str, Any]) -> bytes:
    """Return the packed state, or its first part, of its Secret. Raises UnreadableStateError."""
    try:
        return base64.b64decode((body.get("data") or {})[STATE_KEY], validate=True)
    except (KeyError, binascii.Error):
        raise UnreadableStateError("its Secret has no key tfstate") from None


def state_body(workspace: str, packed: bytes) -> JsonObject:
    """Return the Secret of a state, as the backend writes it."""
    meta: JsonObject = {
        "name": state_secret(workspace),
        "labels": state_labels(workspace),
        "annotations": {"encoding": "gzip"},
    }
    return {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": {STATE_KEY: text_of(packed)}}


def history_of(body: Mapping[str, Any]) -> StateHistory:
    """Return the versions in their Secret. Raises UnreadableStateError if it is another Secret, or was changed by hand."""
    name = body["metadata"]["name"]
    if body.get("type") != STATE_VERSIONS_TYPE:
        raise UnreadableStateError(f"Secret {name} is not of the type {STATE_VERSIONS_TYPE}")
    data = body.get("data") or {}
    try:
        index = json.loads(base64.b64decode(data[INDEX_KEY]))
        versions = tuple(
            StateVersion(**{each.name: entry[each.name] for each in fields(StateVersion)}) for entry in index
        )
        packed = {each.number: base64.b64decode(data[_key(each.number)]) for each in versions}
    except (LookupError, TypeError, ValueError):
        raise UnreadableStateError(f"Secret {name} was changed by hand: delete it to begin anew") from None
    return StateHistory(versions, packed)


def history_body(workspace: str, history: StateHistory) -> JsonObject:
    """Return the Secret of the versions when there is none yet."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": state_versions_name(workspace)},
        "type": STATE_VERSIONS_TYPE,
        "data": history_changes(StateHistory(), history),
    }


def history_changes(before: StateHistory, after: StateHistory) -> JsonObject:
    """Return the keys of the Secret's data that change, as a merge patch has them: null for those that go."""
    dropped = {_key(number): None for number in before.packed.keys() - after.packed.keys()}
    added = {_key(number): text_of(after.packed[number]) for number in after.packed.keys() - before.packed.keys()}
    index = json.dumps([asdict(each) for each in after.versions])
    return {**dropped, **added, INDEX_KEY: text_of(index.encode())}


def _key(number: int) -> str:
    return f"{number}.tfstate.gz"


def text_of(content: bytes) -> str:
    """Return the content as the API has it in a Secret."""
    return base64.b64encode(content).decode()

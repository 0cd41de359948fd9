"""The Secrets of states and of their versions: written, read back, and refused when they are others."""

import base64
import json
from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.names import STATE_VERSIONS_TYPE
from provisioner_operator.core.states.file import UnreadableStateError, pack, read_state
from provisioner_operator.core.states.lock import RUN_PREFIX, HoldingRun
from provisioner_operator.core.states.versions import StateHistory, with_version
from provisioner_operator.kube.state_histories import (
    INDEX_KEY,
    history_body,
    history_changes,
    history_of,
    packed_state,
    state_body,
)
from provisioner_operator.kube.state_locks import parse_state_lock
from support.builders.states import a_state


def a_history(*serials: int) -> StateHistory:
    history = StateHistory()
    for serial in serials:
        text = a_state(serial=serial)
        history = with_version(history, read_state(text), pack(text), origin="after dev-1", now=1.5)
    return history


def test_versions_are_read_as_they_were_written() -> None:
    body: Any = history_body("dev", a_history(1, 2))
    assert (body["metadata"]["name"], body["type"]) == ("state-versions-dev", STATE_VERSIONS_TYPE)
    assert body["data"].keys() == {INDEX_KEY, "1.tfstate.gz", "2.tfstate.gz"}
    assert history_of(body) == a_history(1, 2)


def test_a_change_names_only_what_is_new_and_what_goes() -> None:
    changes = history_changes(a_history(*range(1, 11)), a_history(*range(1, 12)))
    assert changes.keys() == {INDEX_KEY, "1.tfstate.gz", "11.tfstate.gz"}
    assert changes["1.tfstate.gz"] is None


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"type": "Opaque"}, "is not of the type"),
        ({"data": None}, "changed by hand"),
        ({"data": {INDEX_KEY: base64.b64encode(b"[{}]").decode()}}, "changed by hand"),
        ({"data": {INDEX_KEY: "e30"}}, "changed by hand"),
    ],
)
def test_a_secret_that_is_another_is_not_taken_for_versions(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(UnreadableStateError, match=said):
        history_of({**history_body("dev", a_history(1)), **changed})


def test_a_state_is_read_from_its_secret() -> None:
    assert packed_state(state_body("dev", b"packed")) == b"packed"
    for data in (None, {}, {"tfstate": "%"}):
        with pytest.raises(UnreadableStateError, match="no key tfstate"):
            packed_state({"data": data})


def a_lease(info: str | None, holder: str | None) -> dict[str, Any]:
    annotations = {} if info is None else {"app.terraform.io/lock-info": info}
    return {
        "metadata": {"name": "lock", "uid": "uid", "resourceVersion": "7", "annotations": annotations},
        "spec": {} if holder is None else {"holderIdentity": holder},
    }


def test_a_lock_names_its_holder_in_its_words_if_it_has_any() -> None:
    assert parse_state_lock(a_lease(None, None)).holder is None
    told = parse_state_lock(a_lease('{"Who": "joe@host", "Created": "now"}', "1-2-3")).holder
    assert told is not None
    assert (told.id, told.who, told.created, told.operation) == ("1-2-3", "joe@host", "now", "unknown")
    for info in (None, "[]", "{"):
        silent = parse_state_lock(a_lease(info, "1-2-3")).holder
        assert silent is not None
        assert (silent.id, silent.who) == ("1-2-3", "unknown")


RUN = {"job": "dev-7", "uid": "u", "daemon": "d1", "instance": "first", "site": "here"}


@pytest.mark.parametrize(
    ("described", "known"),
    [
        (RUN, True),
        (RUN | {"site": ""}, False),
        (RUN | {"daemon": 7}, False),
        ({key: value for key, value in RUN.items() if key != "instance"}, False),
        (None, False),
    ],
)
def test_a_run_that_holds_a_lock_is_known_if_it_is_described_in_full(described: object, *, known: bool) -> None:
    info = json.dumps({"ID": f"{RUN_PREFIX}1", "Info": json.dumps(described)})
    holder = parse_state_lock(a_lease(info, f"{RUN_PREFIX}1")).holder
    another = parse_state_lock(a_lease(info, f"{RUN_PREFIX}2")).holder

    assert holder is not None
    assert holder.run == (HoldingRun(**RUN) if known else None)
    assert another is not None
    assert another.run is None

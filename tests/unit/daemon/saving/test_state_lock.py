"""Locks as Terraform's kubernetes backend keeps them in a Lease."""

import json
from typing import Any

from provisioner_operator.daemon.saving.state_lock import StateLock, lock_in

NOON = 1_800_000_000.0


def a_lease(holder: str | None = "l1", info: Any = None) -> dict[str, Any]:
    annotations = {} if info is None else {"app.terraform.io/lock-info": info}
    return {"metadata": {"annotations": annotations}, "spec": {} if holder is None else {"holderIdentity": holder}}


def test_a_lock_names_its_holder() -> None:
    info = json.dumps({"ID": "l1", "Who": "ada@pod-1", "Created": "2027-01-15T08:00:00.5Z"})
    assert lock_in(a_lease(info=info)) == StateLock("l1", "ada@pod-1", NOON + 0.5)
    assert lock_in(a_lease(info="{")) == StateLock("l1")
    assert lock_in(a_lease()) == StateLock("l1")
    assert lock_in(a_lease(holder=None)) is None
    assert lock_in({"metadata": {}}) is None


def test_a_lock_is_of_the_run_in_whose_time_and_on_whose_host_it_was_taken() -> None:
    lock = StateLock("l1", "ada@pod-1", NOON)
    assert lock.is_of_run(NOON - 5, NOON + 5, host="pod-1")
    assert not lock.is_of_run(NOON - 5, NOON + 5, host="pod-2")
    assert not lock.is_of_run(NOON - 5, NOON - 4, host="pod-1")
    assert not lock.is_of_run(NOON + 4, NOON + 5, host="pod-1")
    assert not StateLock("l1").is_of_run(NOON - 5, NOON + 5)


def test_only_this_very_lock_is_released() -> None:
    assert StateLock("l1").release().operations() == [
        {"op": "test", "path": "/spec/holderIdentity", "value": "l1"},
        {"op": "remove", "path": "/spec/holderIdentity"},
        {"op": "remove", "path": "/metadata/annotations/app.terraform.io~1lock-info"},
    ]

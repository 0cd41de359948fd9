"""Names of a state's objects, and the lock of a state as Terraform writes it."""

from typing import Any

from provisioner_operator.core.states.lock import (
    LOCK_INFO_ANNOTATION,
    StateLock,
    lock_lease,
    new_lock,
    release_patch,
    state_secret,
    take_patch,
)

FREE = StateLock("uid", "7", None, {"kept": "yes"})


def test_the_objects_of_a_state_are_named_after_the_workspace() -> None:
    assert (state_secret("dev-7"), lock_lease("dev-7")) == ("tfstate-default-dev-7-ws", "lock-tfstate-default-dev-7-ws")


def test_a_new_lock_is_one_that_terraform_finds() -> None:
    lease: Any = new_lock("dev", "1-2-3", "info")
    assert lease["metadata"]["labels"]["tfstateSecretSuffix"] == "dev-ws"
    assert lease["metadata"]["annotations"] == {LOCK_INFO_ANNOTATION: "info"}
    assert lease["spec"] == {"holderIdentity": "1-2-3"}


def test_a_lock_is_taken_and_released_only_as_it_was_read_and_foreign_annotations_stay() -> None:
    taken, released = take_patch(FREE, "1-2-3", "info"), release_patch(FREE)
    assert taken.tests == released.tests == (("/metadata/uid", "uid"), ("/metadata/resourceVersion", "7"))
    assert dict(taken.sets)["/metadata/annotations"] == {"kept": "yes", LOCK_INFO_ANNOTATION: "info"}
    assert dict(released.sets) == {"/metadata/annotations": {"kept": "yes"}}
    assert released.removes == ("/spec/holderIdentity",)

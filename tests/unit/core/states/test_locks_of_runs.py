"""The lock of a state: whose it is, and when the run that holds it is certainly over."""

import json
from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import DaemonState, Phase
from provisioner_operator.core.model.records import Daemon, Job
from provisioner_operator.core.states.lock import (
    ALREADY,
    LOCK_INFO_ANNOTATION,
    HoldingRun,
    LockHolder,
    StateLock,
    lock_id,
    lock_info,
    lock_lease,
    new_lock,
    over_since,
    release_patch,
    state_secret,
    take_patch,
)
from provisioner_operator.kube.state_locks import parse_state_lock
from support.builders.core import NOON, a_daemon, a_running_job, an_ended_job

RUN = HoldingRun("dev-7", "uid-of-dev-7", "d1", "first", "here")
ENDED = an_ended_job("dev-7", phase=Phase.FAILED, finished=100)
LOST_AFTER = 300


def a_holder_daemon(instance: str = "first", *, lists: bool = False, **fields: Any) -> Daemon:
    runs = (a_running_job("dev-7"),) if lists else ()
    return a_daemon("d1", instance=instance, runs=runs, lost_after=LOST_AFTER, **fields)


def test_objects_of_a_state_are_named_as_the_backend_names_them() -> None:
    assert state_secret("dev-7") == "tfstate-default-dev-7-ws"
    assert lock_lease("dev-7") == "lock-tfstate-default-dev-7-ws"


@pytest.mark.parametrize(
    ("job", "daemon", "since"),
    [
        pytest.param(a_running_job("dev-7"), None, None, id="its job has not ended"),
        pytest.param(ENDED, None, ALREADY, id="its daemon is gone"),
        pytest.param(None, None, ALREADY, id="job and daemon are gone"),
        pytest.param(ENDED, a_holder_daemon(), ALREADY, id="its daemon no longer lists it"),
        pytest.param(ENDED, a_holder_daemon(lists=True), None, id="its daemon lists it"),
        pytest.param(None, a_holder_daemon(lists=True), None, id="its daemon lists it, without a job"),
        pytest.param(
            ENDED, a_holder_daemon(lists=True, state=DaemonState.OFFLINE), ALREADY, id="the controller found it lost"
        ),
        pytest.param(ENDED, a_holder_daemon("second", pod_uid="pod"), ALREADY, id="its container was restarted"),
        pytest.param(
            ENDED,
            a_holder_daemon("second"),
            NOON + 100 + LOST_AFTER,
            id="its daemon was started again, perhaps elsewhere",
        ),
        pytest.param(None, a_holder_daemon("second"), None, id="and nobody knows when"),
    ],
)
def test_a_holder_is_dead_only_if_that_is_certain(job: Job | None, daemon: Daemon | None, since: float | None) -> None:
    assert over_since(RUN, job, daemon, site="elsewhere") == since


def test_a_daemon_that_holds_the_lock_file_knows_that_its_former_process_is_gone() -> None:
    assert over_since(RUN, ENDED, a_holder_daemon("second"), site="here") == ALREADY


def test_a_lock_that_is_taken_names_the_run_and_keeps_other_annotations() -> None:
    free = StateLock("uid", "7", None, {"backup": "no"})
    patch = take_patch(free, lock_id("a1"), lock_info(RUN, "a1", 0.0, "1.0"))
    assert patch.tests == (("/metadata/uid", "uid"), ("/metadata/resourceVersion", "7"))
    taken = {path.rpartition("/")[2]: value for path, value in patch.sets}
    lease = {"metadata": {"name": "lock", "uid": "uid", "annotations": taken["annotations"]}, "spec": taken["spec"]}
    lock = parse_state_lock(lease)
    assert lock.annotations["backup"] == "no"
    assert lock.holder == LockHolder(
        "provisioner.dev/a1", "job dev-7 on daemon d1", "1970-01-01T00:00:00.000000Z", "the run of a job", RUN
    )


def test_a_released_lock_has_no_holder_and_keeps_other_annotations() -> None:
    held = StateLock("uid", "7", LockHolder(), {"backup": "no", LOCK_INFO_ANNOTATION: "{}"})
    patch = release_patch(held)
    assert patch.removes == ("/spec/holderIdentity",)
    assert patch.sets == (("/metadata/annotations", {"backup": "no"}),)


def test_a_new_lock_is_labeled_as_the_backend_labels_it() -> None:
    lease = new_lock("dev", lock_id("a1"), lock_info(RUN, "a1", 0.0, "1.0"))
    holder = parse_state_lock(lease).holder
    assert holder is not None
    assert holder.run == RUN
    assert lease["metadata"]["labels"]["tfstateSecretSuffix"] == "dev-ws"  # type: ignore[index,call-overload]


TERRAFORMS = {"ID": "2e1b", "Who": "joe@laptop", "Created": "2026-01-01T00:00:00Z", "Operation": "OperationTypeApply"}


@pytest.mark.parametrize(
    ("identity", "info", "who"),
    [
        ("2e1b", json.dumps(TERRAFORMS), "joe@laptop"),
        ("2e1b", "", "unknown"),
        ("2e1b", "[", "unknown"),
        ("2e1b", json.dumps(TERRAFORMS | {"Info": json.dumps({"job": "dev-7"})}), "joe@laptop"),
        ("provisioner.dev/a1", json.dumps(TERRAFORMS), "joe@laptop"),
        ("provisioner.dev/a1", json.dumps(TERRAFORMS | {"ID": "provisioner.dev/a1", "Info": "{}"}), "joe@laptop"),
        ("provisioner.dev/a1", json.dumps(TERRAFORMS | {"ID": "provisioner.dev/a1", "Info": "1"}), "joe@laptop"),
    ],
)
def test_a_lock_of_others_is_nobodys_run(identity: str, info: str, who: str) -> None:
    meta = {"name": "lock", "uid": "uid", "annotations": {LOCK_INFO_ANNOTATION: info}}
    holder = parse_state_lock({"metadata": meta, "spec": {"holderIdentity": identity}}).holder
    assert holder is not None
    assert (holder.id, holder.who, holder.run) == (identity, who, None)


def test_a_lock_that_nobody_holds_has_no_holder() -> None:
    assert parse_state_lock({"metadata": {"name": "lock", "uid": "uid"}}).holder is None

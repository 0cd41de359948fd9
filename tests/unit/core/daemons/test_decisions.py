"""Decisions about daemons and their Pods: the objects that they name, and what they write with which precondition."""

from provisioner_operator.api.v1alpha1.enums import Provisioner
from provisioner_operator.api.v1alpha1.names import RUNS_FINALIZER
from provisioner_operator.core.daemons.decisions import (
    CheckDaemon,
    HoldDaemon,
    MarkOffline,
    RegisterDaemon,
    ReleaseDaemon,
    RemoveDaemon,
    ReshapeDaemon,
)
from provisioner_operator.core.model.decision import ObjectReference
from provisioner_operator.core.model.records import DaemonPod, Offer, UnreadableObject
from support.builders.core import NAMESPACE, NOON, a_daemon

OFFER = Offer(
    frozenset({("zone", "b"), ("arch", "arm")}),
    frozenset({Provisioner.TERRAFORM, Provisioner.ECHO}),
    capacity=3,
    lost_after=300,
    cancel_grace=180,
)
SPEC = {
    "tags": {"arch": "arm", "zone": "b"},
    "provisioners": ["echo", "terraform"],
    "capacity": 3,
    "lostAfterSeconds": 300,
    "cancelGraceSeconds": 180,
}
POD = DaemonPod(NAMESPACE, "daemon", "uid-of-pod", 1, OFFER)


def test_a_decision_about_a_daemon_names_the_daemon() -> None:
    decision = CheckDaemon(a_daemon())

    assert decision.subject == "uid-of-daemon"
    assert decision.display_name == "acme/daemon"
    assert decision.regarding == ObjectReference("ProvisionerDaemon", NAMESPACE, "daemon", "uid-of-daemon")


def test_a_decision_about_a_daemon_that_cannot_be_parsed_names_it_too() -> None:
    decision = ReleaseDaemon(UnreadableObject(NAMESPACE, "daemon", "uid-of-daemon", 1))

    assert decision.display_name == "acme/daemon"
    assert decision.regarding == ObjectReference("ProvisionerDaemon", NAMESPACE, "daemon", "uid-of-daemon")


def test_a_decision_about_a_pod_names_the_pod() -> None:
    decision = RemoveDaemon(POD, a_daemon())

    assert decision.subject == "uid-of-pod"
    assert decision.display_name == "acme/daemon"
    assert decision.regarding == ObjectReference("Pod", NAMESPACE, "daemon", "uid-of-pod", api_version="v1")


def test_a_daemon_is_marked_offline_unless_a_heartbeat_arrived_meanwhile() -> None:
    patch = MarkOffline(a_daemon(), "No heartbeat for 40 s.").patch(NOON)
    written: dict[str, object] = dict(patch.sets)

    assert patch.tests == (("/metadata/uid", "uid-of-daemon"), ("/status/lastHeartbeatTime", "noon"))
    assert written["/status/state"] == "Offline"
    assert "No heartbeat for 40 s." in str(written["/status/conditions"])


def test_a_pod_is_registered_as_a_daemon_of_its_name_that_it_owns() -> None:
    owner = {"apiVersion": "v1", "kind": "Pod", "name": "daemon", "uid": "uid-of-pod", "controller": True}

    assert RegisterDaemon(POD).body() == {
        "apiVersion": "provisioner.dev/v1alpha1",
        "kind": "ProvisionerDaemon",
        "metadata": {
            "name": "daemon",
            "namespace": NAMESPACE,
            "ownerReferences": [owner],
            "finalizers": [RUNS_FINALIZER],
        },
        "spec": SPEC,
    }


def test_a_daemon_is_reshaped_field_by_field_without_its_cordon() -> None:
    patch = ReshapeDaemon(POD, a_daemon(cordoned=True)).patch()

    assert patch.tests == (("/metadata/uid", "uid-of-daemon"),)
    assert dict(patch.sets) == {f"/spec/{field}": value for field, value in SPEC.items()}


def test_the_finalizer_of_a_daemon_is_added_and_removed_beside_those_of_others() -> None:
    added = HoldDaemon(a_daemon(finalizers=("other",))).patch()
    removed = ReleaseDaemon(a_daemon(finalizers=("other", RUNS_FINALIZER))).patch()

    assert added.tests == (("/metadata/uid", "uid-of-daemon"), ("/metadata/finalizers", ["other"]))
    assert added.sets == (("/metadata/finalizers", ["other", RUNS_FINALIZER]),)
    assert removed.tests == (("/metadata/uid", "uid-of-daemon"), ("/metadata/finalizers", ["other", RUNS_FINALIZER]))
    assert removed.sets == (("/metadata/finalizers", ["other"]),)

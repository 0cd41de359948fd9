"""Decisions about jobs: each is the write of its name."""

import pytest

from provisioner_operator.api.v1alpha1.enums import CancelReason, EndReason, PendingReason, Phase
from provisioner_operator.core.jobs.decisions import (
    Assign,
    Cancel,
    Explain,
    Fail,
    RecordGeneration,
    Release,
    Resume,
    Suspend,
    Withdraw,
)
from provisioner_operator.core.model.decision import ObjectReference
from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.core.model.records import EndedJob
from support.builders.core import NAMESPACE, NOON, a_daemon, a_job, a_running_job, an_assigned_job

CANCELING = a_running_job(phase=Phase.CANCELING, cancel=True)
CHANGED_AFTER_ITS_END = EndedJob("acme", "job", "uid-of-job", 9, unobserved_generation=3)


@pytest.mark.parametrize(
    ("patch", "path", "value"),
    [
        (Assign(a_job(), a_daemon()).patch(NOON), "/status/assignment/daemonUID", "uid-of-daemon"),
        (Assign(a_job(), a_daemon(pod_uid="uid-of-pod")).patch(NOON), "/status/assignment/podUID", "uid-of-pod"),
        (Release(an_assigned_job(), "Gone.").patch(NOON), "/status/assignment", None),
        (Fail(a_job(), EndReason.PENDING_TIMEOUT, "Late.").patch(NOON), "/status/reason", "PendingTimeout"),
        (
            Cancel(a_running_job(cancel=True), CancelReason.DAEMON_GONE, "Gone.").patch(NOON),
            "/status/phase",
            "Canceled",
        ),
        (Cancel(CANCELING, CancelReason.DAEMON_GONE, "Gone.").patch(NOON), "/status/phase", "Canceled"),
        (Explain(a_job(), PendingReason.DAEMONS_BUSY, "Busy.").patch(NOON), "/status/reason", "DaemonsBusy"),
        (Withdraw(an_assigned_job(deleting=True)).patch(NOON), "/status/reason", "BeingDeleted"),
        (Withdraw(an_assigned_job(deleting=True)).patch(NOON), "/status/assignment", None),
        (Suspend(a_job(suspend=True)).patch(NOON), "/status/reason", "Suspended"),
        (Resume(a_job(suspended_at=NOON - 5)).patch(NOON), "/status/suspendedSeconds", 5),
        (RecordGeneration(CHANGED_AFTER_ITS_END).patch(NOON), "/status/observedGeneration", 3),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_decision_is_the_write_of_its_name(patch: JsonPatch, path: str, value: object) -> None:
    changed: dict[str, object] = dict.fromkeys(patch.removes) | dict(patch.sets)
    for name, content in patch.sets:
        if isinstance(content, dict):
            changed |= {f"{name}/{key}": each for key, each in content.items()}

    assert changed[path] == value


def test_a_decision_names_its_job() -> None:
    decision = Release(an_assigned_job(), "Gone.")

    assert decision.subject == "uid-of-job"
    assert decision.display_name == "acme/job"
    assert decision.regarding == ObjectReference("ProvisionerJob", NAMESPACE, "job", "uid-of-job")


def test_the_assignment_to_a_daemon_outside_the_cluster_names_no_pod() -> None:
    written = dict(Assign(a_job(), a_daemon()).patch(NOON).sets)["/status/assignment"]

    assert isinstance(written, dict)
    assert "podUID" not in written


def test_no_two_assignments_have_the_same_id() -> None:
    first = Assign(a_job(resource_version=4), a_daemon())

    assert first.assignment_id != Assign(a_job(resource_version=5), a_daemon()).assignment_id
    assert first.assignment_id != Assign(a_job(resource_version=4), a_daemon("other")).assignment_id

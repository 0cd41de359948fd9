"""Records that commands read from objects without their models."""

from provisioner_operator.api.v1alpha1.enums import CancelMode, Phase
from provisioner_operator.core.daemons.requests import DaemonReport
from provisioner_operator.core.jobs.requests import JobState
from provisioner_operator.core.model.metadata import Metadata, OwnerReference
from provisioner_operator.kube.object_states import age_of, daemon_report, job_state, meta_of

BARE = {"metadata": {"name": "a"}}


def test_an_object_with_nothing_but_a_name_can_be_read() -> None:
    meta = meta_of(BARE)
    assert (meta.name, meta.namespace, meta.uid, meta.labels, meta.owners) == ("a", "", "", {}, ())
    job = job_state(BARE)
    assert (job.phase, job.cancel, job.suspend, job.daemon) == (Phase.PENDING, False, False, None)
    daemon = daemon_report(BARE)
    assert (daemon.cordoned, daemon.version, daemon.current_jobs, daemon.failed) == (False, "", (), 0)


def test_the_jobs_whose_states_only_a_daemon_has_are_read() -> None:
    assert daemon_report(BARE | {"status": {"unsavedStates": [{"job": "dev-7"}]}}).unsaved_states == ("dev-7",)


def test_null_is_read_like_an_absent_field() -> None:
    body = {"metadata": {"name": "a", "labels": None, "ownerReferences": None}, "spec": None, "status": None}
    assert meta_of(body).labels == {}
    assert job_state(body).phase is Phase.PENDING
    assert not daemon_report(body).cordoned


def test_the_owners_and_the_age_are_read() -> None:
    body = {
        "metadata": {
            "name": "a",
            "creationTimestamp": "2027-01-15T08:00:00Z",
            "ownerReferences": [{"kind": "Pod", "uid": "u", "name": "p"}],
        }
    }
    assert meta_of(body).owners == (OwnerReference("Pod", "u"),)
    assert age_of(body, 1_800_000_060.0) == 60


META = {
    "name": "a",
    "namespace": "acme",
    "uid": "u",
    "resourceVersion": "7",
    "creationTimestamp": "2027-01-15T08:00:00Z",
    "labels": {"team": "red"},
    "annotations": {"note": "blue"},
    "ownerReferences": [{"kind": "Pod", "uid": "p"}, {"name": "nameless"}],
}
READ = Metadata(
    name="a",
    namespace="acme",
    uid="u",
    resource_version="7",
    created="2027-01-15T08:00:00Z",
    labels={"team": "red"},
    annotations={"note": "blue"},
    owners=(OwnerReference("Pod", "p"), OwnerReference("", "")),
)


def test_all_of_a_job_is_read() -> None:
    spec = {"suspend": True, "cancel": True, "cancelMode": "Force", "priority": 9}
    status = {"phase": "Canceling", "message": "words", "assignment": {"daemon": "d1"}}
    assert job_state({"metadata": META, "spec": spec, "status": status}) == JobState(
        meta=READ,
        phase=Phase.CANCELING,
        message="words",
        suspend=True,
        cancel=True,
        cancel_mode=CancelMode.FORCE,
        daemon="d1",
        priority=9,
    )


def test_all_of_a_daemon_is_read() -> None:
    status = {
        "version": "1.2.3",
        "lastHeartbeatTime": "2027-01-15T08:00:00Z",
        "currentJobs": [{"name": "one"}, {"name": "two"}],
        "consecutiveFailures": 3,
        "failedJobs": 5,
        "completedJobs": 7,
        "unsavedStates": [{"job": "dev-7"}],
    }
    assert daemon_report({"metadata": META, "spec": {"cordoned": True}, "status": status}) == DaemonReport(
        meta=READ,
        cordoned=True,
        version="1.2.3",
        heartbeat="2027-01-15T08:00:00Z",
        current_jobs=("one", "two"),
        consecutive_failures=3,
        failed=5,
        completed=7,
        unsaved_states=("dev-7",),
    )


def test_what_a_bare_object_lacks_counts_as_nothing() -> None:
    nothing = Metadata(
        name="a", namespace="", uid="", resource_version="", created="", labels={}, annotations={}, owners=()
    )
    assert meta_of(BARE) == nothing
    assert job_state(BARE) == JobState(
        meta=nothing,
        phase=Phase.PENDING,
        message="",
        suspend=False,
        cancel=False,
        cancel_mode=None,
        daemon=None,
        priority=0,
    )
    assert daemon_report(BARE) == DaemonReport(
        meta=nothing,
        cordoned=False,
        version="",
        heartbeat="",
        current_jobs=(),
        consecutive_failures=0,
        failed=0,
        completed=0,
        unsaved_states=(),
    )

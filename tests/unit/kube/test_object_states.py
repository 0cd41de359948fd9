"""Records that commands read from objects without their models."""

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.core.model.metadata import OwnerReference
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

"""The reason of one pending job."""

from provisioner_operator.core.scheduling.explanation import explain_awaited_reports, explain_busy_workspace
from provisioner_operator.core.views.job_explanation import explain_job
from provisioner_operator.core.views.snapshot import Snapshot
from support.builders.core import NOON, a_daemon, a_job, a_running_job, an_assigned_job


def test_a_job_that_is_assigned_or_canceled_waits_for_nothing() -> None:
    for job in (an_assigned_job(), a_job(cancel=True)):
        assert explain_job(job, Snapshot([job], now=NOON)) is None


def test_a_job_that_is_being_deleted_says_so_whatever_else_holds_it_up() -> None:
    for job in (a_job(deleting=True, suspend=True), an_assigned_job(deleting=True)):
        snapshot = Snapshot([job], now=NOON)
        found = explain_job(job, snapshot)
        assert found is not None
        assert found.reason == snapshot.reason_of(job) == "BeingDeleted"
        assert "finalizers" in found.message


def test_a_suspended_job_has_the_field_that_resumes_it() -> None:
    found = explain_job(job := a_job(suspend=True), Snapshot([job], now=NOON))
    assert found is not None
    assert found.reason == "Suspended"
    assert "spec.suspend" in found.message


def test_a_job_behind_another_of_its_workspace_names_it() -> None:
    running, job = a_running_job("dev-1", workspace="dev"), a_job("dev-2", workspace="dev")
    found = explain_job(job, Snapshot([running, job], now=NOON))
    assert found is not None
    assert (found.reason, found.message) == (
        "WorkspaceBusy",
        "Waiting for earlier jobs of workspace dev, which runs one job at a time, in order of creation.",
    )


def test_a_job_that_waits_for_a_daemons_reports_has_the_controllers_word_for_that() -> None:
    said = explain_awaited_reports("silent")
    job = a_job(workspace="dev", reason=said.reason, message=said.message)
    snapshot = Snapshot([job], [a_daemon(heartbeat="2027-01-15T08:00:00+00:00")], now=NOON)
    assert explain_job(job, snapshot) == said
    assert snapshot.reason_of(job) == "WorkspaceBusy"
    assert snapshot.places == {}


def test_a_job_whose_status_still_says_that_others_went_first_has_its_turn() -> None:
    said = explain_busy_workspace("dev", "dev-1")
    job = a_job(workspace="dev", reason=said.reason, message=said.message)
    snapshot = Snapshot([job], [a_daemon(heartbeat="2027-01-15T08:00:00+00:00")], now=NOON)
    assert explain_job(job, snapshot) is None
    assert snapshot.places.keys() == {job.uid}


def test_every_other_job_has_the_explanation_of_its_demand() -> None:
    job = a_job()
    snapshot = Snapshot([job], now=NOON)
    assert explain_job(job, snapshot) == snapshot.explain(job.demand)

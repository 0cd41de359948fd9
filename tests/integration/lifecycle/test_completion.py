"""Jobs that end without a cancel: each type from submission to its end, and their recorded results."""

from typing import Any

import pytest

from support.test_namespace import ProductNamespace, condition

pytestmark = pytest.mark.usefixtures("worker")


def test_a_build_runs_once_and_records_its_results(product: ProductNamespace) -> None:
    product.submit("start", transition="Start", seconds=0.2, lines=2, outputs='{"url": "http://dev", "ports": [1, 2]}')
    job = product.jobs.until("start", "Completed")
    status = job["status"]
    assert product.jobs.phases("start") == ["Pending", "Running", "Completed"]
    assert {each["name"]: each["value"] for each in status["outputs"]} == {"url": "http://dev", "ports": "[1, 2]"}
    assert status["assignment"]["daemon"] == "worker"
    assert status["stage"] == "echo"
    assert [each["stage"] for each in status["timings"]] == ["echo"]
    assert status["startedAt"] <= status["timings"][0]["startedAt"] <= status["finishedAt"]
    assert product.ledger.the_run_of("start").code == 0


@pytest.mark.parametrize(
    ("name", "spec"),
    [
        ("stop", {"transition": "Stop"}),
        ("delete", {"transition": "Delete"}),
        ("import", {"type": "TemplateImport", "transition": None, "workspaceRef": None}),
        ("dry-run", {"type": "TemplateDryRun", "transition": None, "workspaceRef": None}),
    ],
)
def test_every_type_of_job_runs_once(product: ProductNamespace, name: str, spec: dict[str, Any]) -> None:
    product.submit(name, **spec)
    product.jobs.until(name, "Completed")
    assert product.ledger.the_run_of(name).code == 0


def test_a_completed_job_is_ready_for_kubectl_wait_and_kstatus(product: ProductNamespace) -> None:
    product.submit("ready")
    product.admin.wait("pj", "ready", "condition=Ready")
    job = product.admin.get("pj", "ready")
    assert job["status"]["phase"] == "Completed"
    assert job["status"]["observedGeneration"] == job["metadata"]["generation"]
    assert condition(job, "Ready")["status"] == "True"
    assert "Stalled" not in {each["type"] for each in job["status"]["conditions"]}


def test_a_failing_run_fails_its_job_with_the_error_of_the_run(product: ProductNamespace) -> None:
    product.submit("failing", fail="no such region: mars")
    job = product.jobs.until("failing", "Failed")
    assert job["status"]["reason"] == "RunFailed"
    assert "no such region: mars" in job["status"]["message"]
    assert "kubectl" in job["status"]["message"]
    assert condition(job, "Ready")["status"] == "False"
    assert condition(job, "Stalled")["status"] == "True"
    (event,) = product.await_events("failing")
    assert (event["reason"], event["type"]) == ("RunFailed", "Warning")
    assert "no such region: mars" in event["note"]


def test_a_job_that_simply_runs_causes_no_event(product: ProductNamespace) -> None:
    product.submit("quiet", seconds=0.2)
    product.jobs.until("quiet", "Completed")
    # Events are written in order, so an earlier job's Event would precede a later job's.
    product.submit("loud", fail="on purpose")
    product.await_events("loud")
    assert product.events("quiet") == []


def test_the_log_is_archived_once_and_belongs_to_the_job(product: ProductNamespace) -> None:
    product.submit("logged", lines=3)
    job = product.jobs.until("logged", "Completed")
    archive = product.admin.json("get", "configmap", job["status"]["log"]["configMap"], "--show-managed-fields")
    assert "line 1 of 3" in archive["data"]["log"]
    assert "line 3 of 3" in archive["data"]["log"]
    assert len(archive["data"]["log"].encode()) == job["status"]["log"]["bytes"]
    (owner,) = archive["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["uid"]) == ("ProvisionerJob", "logged", job["metadata"]["uid"])
    assert [each["operation"] for each in archive["metadata"]["managedFields"]] == ["Update"]
    assert archive["metadata"]["labels"]["provisioner.dev/job"] == "logged"


def test_a_job_whose_time_to_live_is_over_is_deleted_with_its_archive(product: ProductNamespace) -> None:
    product.submit("short-lived", ttlSecondsAfterFinished=1)
    job = product.jobs.until("short-lived", "Completed")
    product.jobs.until_gone("short-lived")
    product.admin.run("wait", "configmap", job["status"]["log"]["configMap"], "--for=delete", "--timeout=60s")


def test_a_change_of_an_ended_job_is_observed(product: ProductNamespace) -> None:
    product.submit("edited")
    ended = product.jobs.until("edited", "Completed")
    product.admin.patch("pj", "edited", {"spec": {"ttlSecondsAfterFinished": 3600}})
    product.admin.wait("pj", "edited", f"jsonpath={{.status.observedGeneration}}={ended['metadata']['generation'] + 1}")
    job = product.admin.get("pj", "edited")
    assert job["status"] == ended["status"] | {"observedGeneration": job["metadata"]["generation"]}


def test_a_daemon_lists_its_runs_and_counts_their_outcomes(product: ProductNamespace) -> None:
    with product.daemon("counting", tags={"count": "yes"}):
        product.submit_held("counted-good", tags={"count": "yes"})
        product.daemons.until(
            "counting", lambda body: [each["name"] for each in _status(body).get("currentJobs", [])] == ["counted-good"]
        )
        product.ledger.release("counted-good")
        product.submit("counted-bad", tags={"count": "yes"}, fail="on purpose")
        daemon = product.daemons.until("counting", lambda body: _status(body).get("failedJobs") == 1)
    assert _status(daemon)["completedJobs"] == 1
    assert _status(daemon)["consecutiveFailures"] == 1


def _status(body: dict[str, Any]) -> dict[str, Any]:
    status: dict[str, Any] = body.get("status", {})
    return status

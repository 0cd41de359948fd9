"""Traces of real jobs, from the real programs, as a collector receives them."""

import json
from pathlib import Path
from typing import Any

import pytest

from integration.tracing.conftest import PARENT, Traced
from provisioner_devcluster.build.go_build import build
from provisioner_devcluster.build.go_modules import OPENTOFU
from support.builders.manifests import a_template_manifest, a_workspace_manifest
from support.programs.trace_receiver import ReceivedSpan

CANARY = "canary-7f3a"
LOST_AFTER = 10
"""Seconds; the least that a daemon may have."""


def results(tree: dict[str, ReceivedSpan]) -> dict[str, str | int]:
    """Return the result of each step."""
    found = "cicd.pipeline.task.run.result"
    return {name: span.attributes[found] for name, span in tree.items() if found in span.attributes}


def result(tree: dict[str, ReceivedSpan]) -> tuple[str | int, str | int | None, str, bool]:
    """Return the result of the job, its error, who sent it, and whether it counts as failed."""
    root = tree["RUN WorkspaceBuild"]
    return root.attributes["cicd.pipeline.result"], root.attributes.get("error.type"), root.service, root.failed


def test_a_completed_job_is_one_tree_in_the_trace_of_its_caller(traced: Traced) -> None:
    uid = traced.submit("done", parent=PARENT)
    traced.product.jobs.until("done", "Completed")
    tree = traced.tree_of("done")
    assert results(tree) == {"queue": "success", "assign": "success", "echo": "success"}
    assert result(tree) == ("success", None, "provisioner-daemon", False)
    root = tree["RUN WorkspaceBuild"]
    assert f"00-{root.trace}-{root.parent}-01" == PARENT
    assert root.attributes["cicd.pipeline.run.id"] == uid
    assert root.attributes["cicd.worker.name"] == "daemon"
    assert root.attributes["k8s.namespace.name"] == traced.product.namespace
    assert root.started == tree["queue"].started <= tree["queue"].finished == tree["assign"].started
    assert tree["echo"].finished <= root.finished


def test_a_canceled_run_is_told_by_its_daemon(traced: Traced) -> None:
    traced.submit("canceled", hold="true")
    traced.product.ledger.await_run("canceled")
    traced.product.cancel("canceled")
    traced.product.jobs.until("canceled", "Canceled")
    tree = traced.tree_of("canceled")
    assert results(tree) == {"queue": "success", "assign": "success", "echo": "cancellation"}
    assert result(tree) == ("cancellation", None, "provisioner-daemon", False)
    assert tree["RUN WorkspaceBuild"].events == ["cancel requested"]


def test_a_run_that_failed_says_in_which_stage(traced: Traced) -> None:
    traced.submit("failed", fail="nothing works")
    traced.product.jobs.until("failed", "Failed")
    tree = traced.tree_of("failed")
    assert results(tree) == {"queue": "success", "assign": "success", "echo": "failure"}
    assert result(tree) == ("failure", "RunFailed", "provisioner-daemon", True)


def test_a_pending_job_that_is_canceled_is_told_by_the_controller(traced: Traced) -> None:
    traced.submit("waiting", tags={"nobody": "has-it"})
    traced.product.cancel("waiting")
    traced.product.jobs.until("waiting", "Canceled")
    tree = traced.tree_of("waiting")
    assert results(tree) == {"queue": "cancellation"}
    assert result(tree) == ("cancellation", None, "provisioner-operator", False)


def test_a_job_of_a_lost_daemon_is_told_by_the_controller(traced: Traced) -> None:
    product, tags = traced.product, {"goes": "away"}
    with product.daemon("mortal", tags=tags, lost_after=LOST_AFTER, environment=traced.receiver.environment) as daemon:
        traced.submit("lost", tags=tags, hold="true")
        product.ledger.await_run("lost")
        daemon.kill()
        product.jobs.until("lost", "Failed")
    tree = traced.tree_of("lost")
    assert results(tree) == {"queue": "success", "assign": "success"}
    assert result(tree) == ("error", "DaemonLost", "provisioner-operator", True)
    assert tree["RUN WorkspaceBuild"].attributes["cicd.worker.name"] == "mortal"


def test_a_run_gets_its_stages_span_and_none_of_the_daemons_settings(traced: Traced) -> None:
    traced.submit("told", parent=PARENT, hold="true")
    run = traced.product.ledger.await_run("told")
    environment = Path(f"/proc/{run.pid}/environ").read_bytes().decode().split("\0")
    traced.product.ledger.release("told")
    traced.product.jobs.until("told", "Completed")
    span = traced.tree_of("told")["echo"]
    assert f"TRACEPARENT=00-{span.trace}-{span.id}-01" in environment
    assert not [each for each in environment if each.startswith("OTEL_")]


def test_opentofu_goes_on_with_the_span_of_its_stage(traced: Traced) -> None:
    settings = {"OTEL_TRACES_EXPORTER": "otlp", "PROVISIONER_PASS_ENV": "OTEL_*", **traced.receiver.environment}
    runs: dict[str, Any] = {"tags": {"runs": "tofu"}}
    with traced.product.daemon(
        "tofu", provisioners=("terraform",), terraform=build(OPENTOFU), environment=settings, **runs
    ):
        files = {"main.tf": 'resource "terraform_data" "it" {}'}
        traced.submit("applied", provisioner="terraform", source={"inline": {"files": files}}, **runs)
        traced.product.jobs.until("applied", "Completed")
        tree = traced.tree_of("applied")
    of_tofu = [each for each in list(traced.receiver.spans) if each.service == "OpenTofu CLI"]
    for stage in ("init", "plan", "apply"):
        below = [each for each in of_tofu if each.parent == tree[stage].id]
        assert {each.trace for each in below} == {tree[stage].trace}


def test_the_builds_of_a_workspace_are_in_the_trace_of_its_annotation(traced: Traced) -> None:
    admin = traced.product.admin
    admin.create(a_template_manifest("docker", provisioner="echo"))
    workspace = a_workspace_manifest("dev", templateRef={"name": "docker"})
    workspace["metadata"]["annotations"] = {"provisioner.dev/traceparent": PARENT}
    admin.create(workspace)
    traced.product.jobs.until("dev-1", "Completed")
    root = traced.tree_of("dev-1")["RUN docker"]
    assert f"00-{root.trace}-{root.parent}-01" == PARENT
    assert root.attributes["provisioner.workspace.name"] == "dev"


def test_no_secret_variable_tag_or_message_is_sent(traced: Traced) -> None:
    secret = {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "cloud"}, "stringData": {"key": CANARY}}
    traced.product.admin.create(secret)
    with traced.product.daemon("tagged", tags={"team": CANARY}, environment=traced.receiver.environment):
        hidden = [{"name": "password", "valueFrom": {"secretKeyRef": {"name": "cloud", "key": "key"}}}]
        seen = {"hold": "false", "outputs": json.dumps({"url": CANARY})}
        variables = [*hidden, *({"name": name, "value": value} for name, value in seen.items())]
        common: dict[str, Any] = {"tags": {"team": CANARY}, "initiator": CANARY}
        traced.submit("outputs", variables=variables, **common)
        traced.submit("fails", fail=CANARY, **common)
        traced.submit("stops", hold="true", **common)
        traced.product.cancel("stops", cancelReason=CANARY)
        for name, phase in {"outputs": "Completed", "fails": "Failed", "stops": "Canceled"}.items():
            traced.product.jobs.until(name, phase)
            traced.tree_of(name)
    assert CANARY in json.dumps(traced.product.jobs.latest())
    assert not [body for body in traced.receiver.bodies if CANARY.encode() in body]


def test_a_controller_that_is_killed_before_it_has_sent_a_trace_leaves_a_whole_tree(own: Traced) -> None:
    product, receiver = own.product, own.receiver
    receiver.accepts = False
    with product.operator(environment=receiver.environment) as operator:
        own.submit("waiting", tags={"nobody": "has-it"})
        own.submit("going-on", tags={"comes": "later"})
        product.await_seen()
        product.cancel("waiting")
        product.jobs.until("waiting", "Canceled")
        receiver.await_that(lambda: bool(receiver.refused))
        operator.kill()
    receiver.accepts = True
    with (
        product.operator(environment=receiver.environment),
        product.daemon(tags={"comes": "later"}, environment=receiver.environment),
    ):
        assert results(own.tree_of("waiting")) == {"queue": "cancellation"}
        product.jobs.until("going-on", "Completed")
        assert set(results(own.tree_of("going-on"))) == {"queue", "assign", "echo"}
    # What the first one could not deliver, the second one told in the same words, ids and times included.
    assert all(each in receiver.spans for each in receiver.refused)


def test_without_a_collector_jobs_end_as_ever(own: Traced) -> None:
    product = own.product
    with (
        own.receiver.held(),
        product.operator(environment=own.receiver.environment) as operator,
        product.daemon(capacity=4, environment=own.receiver.environment) as daemon,
    ):
        names = [f"job-{number}" for number in range(8)]
        product.submit_all(names)
        product.jobs.until_all(names)
        own.submit("waiting", tags={"nobody": "has-it"})
        product.cancel("waiting")
        product.jobs.until("waiting", "Canceled")
        own.receiver.await_that(lambda: len(own.receiver.bodies) > 1)
        # Decided and written while both processes waited for the collector's answer.
        assert own.receiver.spans == []
        for program in (daemon, operator):
            program.terminate()
            assert program.exit_code() == 0
            assert not [line for line in program.lines if "Traceback" in line]


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:9", "nonsense"])
def test_an_endpoint_that_is_wrong_keeps_no_job_from_ending(own: Traced, endpoint: str) -> None:
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}
    with own.product.operator(environment=environment), own.product.daemon(environment=environment):
        own.submit("done")
        own.product.jobs.until("done", "Completed")

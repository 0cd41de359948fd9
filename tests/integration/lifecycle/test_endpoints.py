"""Endpoints of the controller: probes and metrics."""

import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from support.cluster.watching import WITHIN
from support.programs.programs import OperatorProgram
from support.test_namespace import ProductNamespace


@pytest.fixture
def operator(own_product: ProductNamespace) -> Iterator[OperatorProgram]:
    """A controller of the test's own."""
    with own_product.operator() as operator:
        yield operator


def test_probes_answer(operator: OperatorProgram) -> None:
    assert _get(f"{operator.endpoint}/healthz") == (200, "ok\n")
    assert _get(f"{operator.endpoint}/readyz") == (200, "ok\n")
    assert _get(f"{operator.endpoint}/anything")[0] == 404


def test_metrics_count_pending_running_and_ended_jobs(own_product: ProductNamespace, operator: OperatorProgram) -> None:
    product = own_product
    with product.daemon("daemon"):
        product.submit("good", seconds=0.1)
        product.submit("bad", fail="on purpose")
        product.submit("stuck", tags={"gpu": "yes"})
        product.jobs.until_all(["good", "bad"])
        product.await_events("bad")  # the controller has observed the end
        product.jobs.until("stuck", lambda body: body["status"].get("reason") == "NoMatchingDaemon")
        product.await_events("stuck")
        expected = {
            f'provisioner_jobs_ended_total{{namespace="{product.namespace}",phase="Completed",reason="Completed",template=""}} 1.0',
            f'provisioner_jobs_ended_total{{namespace="{product.namespace}",phase="Failed",reason="RunFailed",template=""}} 1.0',
            'provisioner_job_failures_total{reason="RunFailed"} 1.0',
            'provisioner_jobs{phase="Pending"} 1.0',
            'provisioner_jobs_pending{reason="NoMatchingDaemon"} 1.0',
            'provisioner_daemons{state="Idle"} 1.0',
        }
        metrics = _metrics(operator)
        deadline = time.monotonic() + WITHIN
        # The daemon's heartbeat with the state Idle comes a little later.
        while not expected <= metrics:
            assert time.monotonic() < deadline, f"not there: {expected - metrics}"
            time.sleep(0.2)
            metrics = _metrics(operator)
    assert operator.writes['provisioner_api_writes_total{kind="Assign",result="ok"}'] >= 2
    assert any(line.startswith("provisioner_queue_depth{") and "gpu=yes" in line for line in metrics)


def _metrics(operator: OperatorProgram) -> set[str]:
    return set(_get(f"{operator.endpoint}/metrics")[1].splitlines())


def _get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=60) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()

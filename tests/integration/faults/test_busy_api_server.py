"""An API server with a low concurrency limit: the controller adapts, loses nothing, and does not flood it."""

from collections.abc import Iterator

import pytest

from provisioner_devcluster import ControlPlane
from support.cluster.installation import install
from support.cluster.kubectl import Kubectl
from support.manifests import Manifest
from support.test_namespace import OPERATOR, ProductNamespace, a_product_namespace, names

JOBS = 40
FIRST_RUSH = 32
"""Writes that are sent before the first rejection is known."""
_GROUP = "flowcontrol.apiserver.k8s.io"
_REJECTED = f'apiserver_flowcontrol_rejected_requests_total{{flow_schema="{OPERATOR}"'


@pytest.fixture
def plane() -> Iterator[ControlPlane]:
    """A control plane with two seats for the controller's requests, and no queue."""
    with ControlPlane.start() as plane:
        admin = Kubectl(plane.kubeconfig)
        install(admin, Kubectl(plane.kubeconfig_for("prober")))
        limited = {"lendablePercent": 0, "borrowingLimitPercent": 0, "limitResponse": {"type": "Reject"}}
        for name, shares in (("crowd", 1500), (OPERATOR, 1)):  # all seats are divided by shares
            admin.create(_level(name, limited | {"nominalConcurrencyShares": shares}))
        admin.create(_schema())
        yield plane


@pytest.fixture
def own(plane: ControlPlane) -> Iterator[ProductNamespace]:
    """A namespace in that control plane."""
    Kubectl(plane.kubeconfig).run("create", "namespace", "test-busy")
    with a_product_namespace(plane, "test-busy") as product:
        yield product


def test_a_burst_beyond_the_concurrency_limit_completes_without_a_flood(own: ProductNamespace) -> None:
    jobs, tags = names("job", JOBS), {"queue": "busy"}
    own.submit_all(jobs, tags=tags, seconds=0.1)
    with own.operator() as operator:
        # No daemon matches, so the controller explains all of them: more concurrent writes than there are seats.
        for job in jobs:
            own.jobs.until(job, lambda body: body["status"].get("reason") == "NoMatchingDaemon", seconds=120)
        assert operator.writes['provisioner_api_writes_total{kind="Explain",result="busy"}'] > 0
        with own.daemon("one", tags=tags, capacity=8), own.daemon("two", tags=tags, capacity=8):
            own.jobs.until_all(jobs, phases=["Completed"], seconds=150)
        assert operator.fetch("/readyz") == (200, "ok\n")
        assert "did not reach the API server" not in operator.tail()
    own.ledger.assert_nothing_twice()
    assert 0 < _rejected(own.admin) < 2 * (FIRST_RUSH + JOBS)


def _level(name: str, limited: Manifest) -> Manifest:
    spec = {"type": "Limited", "limited": limited}
    return {
        "apiVersion": f"{_GROUP}/v1",
        "kind": "PriorityLevelConfiguration",
        "metadata": {"name": name},
        "spec": spec,
    }


def _schema() -> Manifest:
    everything = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "namespaces": ["*"], "clusterScope": True}
    rule = {"subjects": [{"kind": "User", "user": {"name": OPERATOR}}], "resourceRules": [everything]}
    spec = {"priorityLevelConfiguration": {"name": OPERATOR}, "matchingPrecedence": 100, "rules": [rule]}
    return {"apiVersion": f"{_GROUP}/v1", "kind": "FlowSchema", "metadata": {"name": OPERATOR}, "spec": spec}


def _rejected(admin: Kubectl) -> float:
    """Return the number of the controller's requests that the API server has rejected for lack of seats."""
    metrics = admin.run("get", "--raw", "/metrics").stdout.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in metrics if line.startswith(_REJECTED))

"""A pool on a real API server: it creates Pods, scales with its queue, and removes no daemon with a job. The test acts as kubelet."""

from collections.abc import Callable, Iterator

import pytest

from support.cluster.kubelet import Kubelet, a_pool
from support.cluster.watching import Watch, watching
from support.manifests import Manifest
from support.test_namespace import ProductNamespace, condition


@pytest.fixture
def kubelet(product: ProductNamespace) -> Iterator[Kubelet]:
    with Kubelet(product).at_work() as kubelet:
        yield kubelet


@pytest.fixture
def pools(product: ProductNamespace) -> Iterator[Watch]:
    with watching(product.admin, "pp") as pools:
        yield pools


def _has(**status: object) -> Callable[[Manifest], bool]:
    """Return a test whether a pool's status, of the current generation, has these values."""

    def test(body: Manifest) -> bool:
        said = body.get("status", {})
        seen = said.get("observedGeneration") == body["metadata"]["generation"]
        return seen and all(said.get(field) == value for field, value in status.items())

    return test


def _ready(body: Manifest) -> bool:
    return _has()(body) and condition(body, "Ready").get("status") == "True"


def test_a_pool_makes_daemons_that_take_its_jobs_and_is_scaled_by_kubectl(
    product: ProductNamespace, pools: Watch, kubelet: Kubelet
) -> None:
    product.admin.create(a_pool(tags={"fleet": "a"}, replicas=2))
    pools.until("pool", lambda body: _ready(body) and _has(replicas=2, idle=2)(body))
    product.submit("job", tags={"fleet": "a"})
    job = product.jobs.until("job", "Completed")
    assert job["status"]["assignment"]["daemon"] in kubelet.living()
    product.admin.run("scale", "pp", "pool", "--replicas=1")
    pools.until("pool", lambda body: _ready(body) and _has(replicas=1)(body))
    assert len(kubelet.living()) == 1


def test_a_pool_follows_its_queue_from_zero_and_back(product: ProductNamespace, pools: Watch, kubelet: Kubelet) -> None:
    scaling = {"minReplicas": 0, "maxReplicas": 2, "targetWaitSeconds": 5, "scaleDownDelaySeconds": 5}
    product.admin.create(a_pool(tags={"fleet": "a"}, autoscaling=scaling))
    pools.until("pool", _has(replicas=0, desiredReplicas=0))
    assert kubelet.living() == {}
    for name in ("first", "second", "third"):
        product.submit(name, tags={"fleet": "a"}, hold="true")
    pools.until("pool", _has(busy=2, replicas=2))
    for name in ("first", "second", "third"):
        product.ledger.release(name)
    product.jobs.until_all(["first", "second", "third"], phases=["Completed"])
    pools.until_latest("pool", _has(replicas=0, desiredReplicas=0))
    assert kubelet.living() == {}
    product.ledger.assert_nothing_twice()


def test_a_daemon_that_holds_a_job_is_drained_before_it_goes(
    product: ProductNamespace, pools: Watch, kubelet: Kubelet
) -> None:
    product.admin.create(a_pool(replicas=2))
    pools.until("pool", _ready)
    product.submit_held("job")
    busy = product.jobs.until("job", "Running")["status"]["assignment"]["daemon"]
    product.admin.patch("pp", "pool", {"spec": {"replicas": 0}})
    product.daemons.until(busy, lambda body: body["spec"]["cordoned"])
    pools.until("pool", _has(replicas=1, busy=1))
    assert list(kubelet.living()) == [busy]
    product.ledger.release("job")
    product.jobs.until("job", "Completed")
    pools.until("pool", _has(replicas=0))


def test_a_new_template_is_rolled_out_without_losing_a_job(
    product: ProductNamespace, pools: Watch, kubelet: Kubelet
) -> None:
    product.admin.create(a_pool(replicas=2))
    pools.until("pool", _ready)
    before = set(kubelet.living())
    product.submit_held("job")
    product.admin.patch("pp", "pool", {"spec": {"template": {"podLabels": {"revision": "second"}}}})
    pools.until("pool", lambda body: _has(updatedReplicas=2)(body) and body["status"]["observedGeneration"] == 2)
    product.ledger.release("job")
    product.jobs.until("job", "Completed")
    pools.until_latest("pool", lambda body: _ready(body) and _has(replicas=2, updatedReplicas=2)(body))
    assert not before & set(kubelet.living())
    product.ledger.assert_nothing_twice()


def test_a_pod_that_dies_is_replaced(product: ProductNamespace, pools: Watch, kubelet: Kubelet) -> None:
    product.admin.create(a_pool(replicas=1))
    pools.until("pool", _ready)
    product.submit_held("job")
    (first,) = kubelet.living()
    kubelet.kill(first)
    job = product.jobs.until("job", "Failed")
    assert job["status"]["reason"] == "DaemonLost"
    product.submit("next")
    next_job = product.jobs.until("next", "Completed")
    assert next_job["status"]["assignment"]["daemon"] != first


def test_an_admins_cordon_is_respected_and_the_daemon_replaced(
    product: ProductNamespace, pools: Watch, kubelet: Kubelet
) -> None:
    product.admin.create(a_pool(replicas=1))
    pools.until("pool", _ready)
    (held_back,) = kubelet.living()
    product.admin.patch("pd", held_back, {"spec": {"cordoned": True}})
    pools.until("pool", _has(replicas=2))
    product.submit("job")
    job = product.jobs.until("job", "Completed")
    assert job["status"]["assignment"]["daemon"] != held_back
    assert held_back in kubelet.living()
    assert product.admin.get("pd", held_back)["spec"]["cordoned"]


def test_a_deleted_pool_is_removed_when_its_jobs_have_ended(
    product: ProductNamespace, pools: Watch, kubelet: Kubelet
) -> None:
    product.admin.create(a_pool(replicas=2))
    pools.until("pool", _ready)
    product.submit_held("job")
    product.admin.run("delete", "pp", "pool", "--wait=false")
    pools.until("pool", _has(replicas=1))
    assert product.admin.get("pj", "job")["status"]["phase"] == "Running"
    product.ledger.release("job")
    product.jobs.until("job", "Completed")
    pools.until_gone("pool")
    assert kubelet.living() == {}


def test_rejected_pods_are_reported_in_the_pools_condition(product: ProductNamespace, pools: Watch) -> None:
    quota: Manifest = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "none"},
        "spec": {"hard": {"pods": "0"}},
    }
    product.admin.create(quota)
    product.admin.run("wait", "resourcequota/none", "--for=jsonpath={.status.hard.pods}=0", "--timeout=60s")
    product.admin.create(a_pool(replicas=1))
    pool = pools.until("pool", lambda body: condition(body, "Stalled").get("status") == "True")
    assert "exceeded quota" in condition(pool, "Ready")["message"]
    product.admin.run("delete", "resourcequota", "none")
    product.admin.run("delete", "pp", "pool")

"""Jobs whose deletion is held up: by a finalizer, as a deletion in the foreground (Argo CD's) adds one."""

from provisioner_operator.api.v1alpha1.names import GROUP
from support.manifests import Manifest
from support.test_namespace import ProductNamespace, a_job, condition

HOLD = f"{GROUP}/test"


def _is_being_deleted(body: Manifest) -> bool:
    return "deletionTimestamp" in body["metadata"]


def _delete_in_the_foreground(product: ProductNamespace, *names: str) -> None:
    product.admin.run("delete", "pj", *names, "--cascade=foreground", "--wait=false")


def _release(product: ProductNamespace, name: str) -> None:
    product.admin.patch("pj", name, {"metadata": {"finalizers": None}})


def test_a_pending_job_that_is_being_deleted_never_starts_and_holds_up_nobody(product: ProductNamespace) -> None:
    same = {"tags": {"deletion": "pending"}, "workspaceRef": {"name": "held-up"}}
    with product.operator():
        product.admin.create(_with_finalizer("unwanted", **same))
        product.submit("next", **same)
        _delete_in_the_foreground(product, "unwanted")
        product.jobs.until("unwanted", lambda body: body["status"].get("reason") == "BeingDeleted")
        with product.daemon("eager", tags=same["tags"]):
            product.jobs.until("next", "Completed")
            assert "finalizers" in condition(product.admin.get("pj", "unwanted"), "Assigned")["message"]
            _release(product, "unwanted")
            product.admin.run("wait", "--for=delete", "pj/unwanted", "--timeout=60s")
    assert [run.job for run in product.ledger.runs() if run.workspace == "held-up"] == ["next"]


def test_a_running_job_that_is_being_deleted_is_stopped_and_the_next_waits_for_that(product: ProductNamespace) -> None:
    same = {"tags": {"deletion": "running"}, "workspaceRef": {"name": "busy"}}
    with product.operator(), product.daemon("busy", tags=same["tags"], capacity=2):
        product.admin.create(_with_finalizer("stopped", hold="true", **same))
        product.ledger.await_run("stopped")
        product.submit("after-stopped", **same)
        _delete_in_the_foreground(product, "stopped")
        ended = product.jobs.until("stopped", "Failed")
        assert ended["status"]["reason"] == "Deleted"
        product.jobs.until("after-stopped", "Completed")
        _release(product, "stopped")
    product.ledger.assert_no_overlap()


def test_an_ended_job_whose_expiry_is_held_up_is_deleted_once(product: ProductNamespace) -> None:
    with product.operator() as operator, product.daemon("brief", tags={"deletion": "expiry"}):
        product.admin.create(_with_finalizer("over", tags={"deletion": "expiry"}, ttlSecondsAfterFinished=0))
        product.jobs.until("over", _is_being_deleted)
        product.await_seen()
        product.await_seen()
        assert operator.runs
        before = len(product.jobs.versions("over"))
        _release(product, "over")
        product.admin.run("wait", "--for=delete", "pj/over", "--timeout=60s")
        assert len(product.jobs.versions("over")) <= before + 1


def _with_finalizer(name: str, **spec: object) -> Manifest:
    job = a_job(name, **spec)
    return {**job, "metadata": {**job["metadata"], "finalizers": [HOLD]}}

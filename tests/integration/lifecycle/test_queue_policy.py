"""The policy of a namespace's queue: groups share its slots, limits hold jobs up, and a change of it counts at once."""

from typing import Any

from support.builders.manifests import a_queue_manifest
from support.manifests import Manifest
from support.test_namespace import ProductNamespace, a_job, names


def _policy(product: ProductNamespace, **spec: Any) -> Manifest:
    return product.admin.create(a_queue_manifest(**spec))


def _in_force(product: ProductNamespace) -> None:
    product.admin.run("wait", "pq", "default", "--for=condition=Ready", "--timeout=120s")


def test_one_persons_many_jobs_make_nobody_else_wait(own_product: ProductNamespace) -> None:
    product = own_product
    _policy(product, fairness={"by": "Initiator", "weights": [{"name": "*", "weight": 4}]})
    with product.operator(), product.daemon("single"):
        _in_force(product)
        product.submit_held("blocker", initiator="ann")
        many = names("many", 12)
        product.admin.create_all([a_job(name, initiator="ann") for name in many])
        product.admin.create_all([a_job("bobs", initiator="bob"), a_job("cleos", initiator="cleo")])
        product.await_seen()
        product.ledger.release("blocker")
        product.jobs.until_all(["blocker", "bobs", "cleos", *many], phases=["Completed"])
    assert [run.job for run in product.ledger.runs()] == ["blocker", "bobs", "cleos", *many]


def test_a_controller_that_starts_orders_by_the_runs_that_ended_before(own_product: ProductNamespace) -> None:
    product = own_product
    _policy(product, fairness={"by": "Initiator"})
    with product.daemon("single"):
        with product.operator():
            product.submit_held("anns-past", initiator="ann")
            product.ledger.release("anns-past")
            product.jobs.until("anns-past", "Completed")
            product.submit_held("blocker", initiator="cleo")
        product.submit("anns", initiator="ann", priority=0)
        product.submit("bobs", initiator="bob")
        with product.operator():
            _in_force(product)
            product.await_seen()
            product.ledger.release("blocker")
            product.jobs.until_all(["anns", "bobs"], phases=["Completed"])
    assert [run.job for run in product.ledger.runs()] == ["anns-past", "blocker", "bobs", "anns"]


def test_a_limit_is_explained_and_holds_until_it_is_raised(own_product: ProductNamespace) -> None:
    product = own_product
    _policy(product, limits=[{"name": "each-person", "per": "Initiator", "maxRunning": 1}])
    with product.operator(), product.daemon("roomy", capacity=3):
        _in_force(product)
        product.submit_held("first", initiator="ann")
        product.submit("second", initiator="ann", hold="true")
        product.submit_held("bobs", initiator="bob")
        job = product.jobs.until("second", lambda body: body.get("status", {}).get("reason") == "LimitReached")
        assert "Limit each-person of ProvisionerQueue default lets 1 such job run" in job["status"]["message"]
        assert "for initiator ann" in job["status"]["message"]
        assert product.ledger.runs_of("second") == []
        product.admin.run("wait", "pq", "default", "--for=jsonpath={.status.limits[0].blocked}=1", "--timeout=120s")
        limit = {"name": "each-person", "per": "Initiator", "maxRunning": 2}
        product.admin.patch("pq", "default", {"spec": {"limits": [limit]}})
        product.ledger.await_run("second")
        for name in ("first", "second", "bobs"):
            product.ledger.release(name)
        product.jobs.until_all(["first", "second", "bobs"], phases=["Completed"])


def test_a_policy_that_is_deleted_holds_nothing_up(own_product: ProductNamespace) -> None:
    product = own_product
    _policy(product, limits=[{"name": "none", "maxRunning": 0}])
    with product.operator(), product.daemon("single"):
        _in_force(product)
        product.submit("held")
        product.await_seen()
        assert product.admin.get("pj", "held")["status"]["phase"] == "Pending"
        product.admin.run("delete", "pq", "default")
        product.jobs.until("held", "Completed")

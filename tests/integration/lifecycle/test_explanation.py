"""Explanation of a pending job: its reason is right, and the suggested change makes the job run."""

from typing import Any

from support.test_namespace import ProductNamespace, condition


def _waits_for(reason: str) -> Any:
    return lambda body: body.get("status", {}).get("reason") == reason


def test_the_suggested_change_unblocks_the_job(own_product: ProductNamespace) -> None:
    product = own_product
    with product.operator():
        product.submit("job", tags={"environment": "on-prem", "datacenter": "chicago"})
        job = product.jobs.until("job", _waits_for("NoMatchingDaemon"))
        assert f"no daemon in namespace {product.namespace}" in job["status"]["message"]
        assert condition(job, "Assigned")["status"] == "False"
        assert condition(job, "Assigned")["reason"] == "NoMatchingDaemon"
        with product.daemon("d7", tags={"environment": "on-prem"}):
            job = product.jobs.until("job", lambda body: "d7" in body["status"].get("message", ""))
            assert "would match without tag datacenter=chicago" in job["status"]["message"]
            assert product.ledger.runs() == []
            product.admin.patch("pd", "d7", {"spec": {"tags": {"datacenter": "chicago"}}})
            job = product.jobs.until("job", "Completed")
    assert condition(job, "Assigned")["status"] == "True"
    assert "NoMatchingDaemon" not in str(job["status"])
    assert [event["reason"] for event in product.await_events("job")] == ["NoMatchingDaemon"]


def test_offline_daemons_are_named_and_the_job_waits_for_them(own_product: ProductNamespace) -> None:
    product = own_product
    product.a_daemon_without_process("sleeper", instance="old")
    product.beat("sleeper", state="Offline")
    with product.operator():
        product.submit("job")
        job = product.jobs.until("job", _waits_for("DaemonsOffline"))
        assert "sleeper" in job["status"]["message"]
        with product.daemon("sleeper"):
            product.jobs.until("job", "Completed")


def test_the_message_of_an_untagged_job_names_a_tag_that_would_match(own_product: ProductNamespace) -> None:
    product = own_product
    with product.operator(), product.daemon("tagged", tags={"region": "us"}):
        product.submit("job")
        job = product.jobs.until("job", _waits_for("NoMatchingDaemon"))
        assert "region=us" in job["status"]["message"]
        product.submit("as-suggested", tags={"region": "us"})
        product.jobs.until("as-suggested", "Completed")
        assert product.admin.get("pj", "job")["status"]["phase"] == "Pending"

"""Why a job is pending: the reason and the smallest change are right, for once that change is made the job runs."""

from typing import Any

from support.test_namespace import Site, condition


def _waits_for(reason: str) -> Any:
    return lambda body: body.get("status", {}).get("reason") == reason


def test_what_the_message_says_unblocks_the_job(own_site: Site) -> None:
    site = own_site
    with site.operator():
        site.submit("job", tags={"environment": "on-prem", "datacenter": "chicago"})
        job = site.jobs.until("job", _waits_for("NoMatchingDaemon"))
        assert f"no daemon in namespace {site.namespace}" in job["status"]["message"]
        assert condition(job, "Assigned")["status"] == "False"
        assert condition(job, "Assigned")["reason"] == "NoMatchingDaemon"
        with site.daemon("d7", tags={"environment": "on-prem"}):
            job = site.jobs.until("job", lambda body: "d7" in body["status"].get("message", ""))
            assert "would match without tag datacenter=chicago" in job["status"]["message"]
            assert site.ledger.runs() == []
            site.admin.patch("pd", "d7", {"spec": {"tags": {"datacenter": "chicago"}}})
            job = site.jobs.until("job", "Completed")
    assert condition(job, "Assigned")["status"] == "True"
    assert "NoMatchingDaemon" not in str(job["status"])
    assert [event["reason"] for event in site.await_events("job")] == ["NoMatchingDaemon"]


def test_offline_daemons_are_named_and_a_job_waits_for_them(own_site: Site) -> None:
    site = own_site
    site.a_silent_daemon("sleeper", instance="old")
    site.beat("sleeper", state="Offline")
    with site.operator():
        site.submit("job")
        job = site.jobs.until("job", _waits_for("DaemonsOffline"))
        assert "sleeper" in job["status"]["message"]
        with site.daemon("sleeper"):
            site.jobs.until("job", "Completed")


def test_an_untagged_job_is_told_which_tag_would_do(own_site: Site) -> None:
    site = own_site
    with site.operator(), site.daemon("tagged", tags={"region": "us"}):
        site.submit("job")
        job = site.jobs.until("job", _waits_for("NoMatchingDaemon"))
        assert "region=us" in job["status"]["message"]
        site.submit("as-told", tags={"region": "us"})
        site.jobs.until("as-told", "Completed")
        assert site.admin.get("pj", "job")["status"]["phase"] == "Pending"

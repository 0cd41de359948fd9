"""A daemon dies, freezes, is replaced or told to stop: its runs end before anybody else may have their workspaces."""

from collections.abc import Callable

from support.programs.ledger import await_death, is_alive
from support.programs.programs import Program
from support.test_namespace import Site, condition

LOST_AFTER = 20
"""Seconds: the least that a daemon may be given."""


def test_the_jobs_of_a_killed_daemon_fail_and_its_runs_die_before_the_workspace_is_given_on(site: Site) -> None:
    with site.operator(), site.daemon("one", lost_after=LOST_AFTER, grace=1, tags={"fleet": "a"}) as daemon:
        site.submit("first", tags={"fleet": "a"}, workspaceRef={"name": "dev"}, seconds=300, ignore_interrupt="true")
        run = site.ledger.await_run("first")
        site.submit("second", tags={"fleet": "a"}, workspaceRef={"name": "dev"})
        with site.daemon("two", lost_after=LOST_AFTER, tags={"fleet": "a"}):
            daemon.kill()
            job = site.jobs.until("first", "Failed")
            assert not is_alive(run.pid)
            assert job["status"]["reason"] == "DaemonLost"
            second = site.jobs.until("second", "Completed")
    assert second["status"]["assignment"]["daemon"] == "two"
    site.ledger.assert_nothing_twice()
    site.ledger.assert_no_overlap()
    assert site.daemons.versions("one")[-1]["status"]["state"] == "Offline"
    assert condition(site.daemons.versions("one")[-1], "Ready")["status"] == "Unknown"
    assert [event["reason"] for event in site.await_events("first", "DaemonLost")].count("DaemonLost") == 1


def test_a_daemon_that_comes_back_under_its_name_loses_its_old_jobs_at_once(site: Site) -> None:
    with site.operator():
        with site.daemon("daemon", lost_after=3600, grace=2) as former:
            site.submit("first", workspaceRef={"name": "dev"}, seconds=300, ignore_interrupt="true")
            run = site.ledger.await_run("first")
            site.jobs.until("first", "Running")
            site.submit("second", workspaceRef={"name": "dev"})
            former.kill()
        with site.daemon("daemon", lost_after=3600, grace=2):
            job = site.jobs.until("first", "Failed")
            site.jobs.until("second", "Completed")
        await_death(run.pid)
    assert job["status"]["reason"] == "DaemonLost"
    site.ledger.assert_nothing_twice()
    site.ledger.assert_no_overlap()


def test_a_frozen_daemon_is_fenced_by_its_guards_before_it_is_given_up(site: Site) -> None:
    with site.operator(), site.daemon("frozen", lost_after=LOST_AFTER, tags={"fleet": "a"}) as daemon:
        site.submit("first", tags={"fleet": "a"}, workspaceRef={"name": "dev"}, seconds=300, ignore_interrupt="true")
        run = site.ledger.await_run("first")
        site.submit("second", tags={"fleet": "a"}, workspaceRef={"name": "dev"})
        with site.daemon("other", lost_after=60, tags={"fleet": "a"}):
            daemon.freeze()
            job = site.jobs.until("first", "Failed")
            assert not is_alive(run.pid)
            assert job["status"]["reason"] == "DaemonLost"
            site.jobs.until("second", "Completed")
            daemon.thaw()
            # It hears that the job is over, writes nothing more of it, and is there for others.
            site.submit("third", tags={"fleet": "a"}, seconds=0.1)
            site.jobs.until("third", "Completed")
    assert site.jobs.phases("first") == ["Pending", "Running", "Failed"]
    site.ledger.assert_nothing_twice()
    site.ledger.assert_no_overlap()


def test_the_cancel_of_a_job_whose_daemon_died_is_finished_by_the_controller(site: Site) -> None:
    with site.operator(), site.daemon("daemon", lost_after=LOST_AFTER, grace=1) as daemon:
        site.submit("job", seconds=300)
        run = site.ledger.await_run("job")
        site.jobs.until("job", "Running")
        daemon.kill()
        site.cancel("job", cancelReason="no longer wanted")
        job = site.jobs.until("job", "Canceled")
        assert not is_alive(run.pid)
    assert condition(job, "CancelRequested")["reason"] == "DaemonGone"
    assert "no longer wanted" in job["status"]["message"]


def test_an_assignment_to_a_daemon_that_stops_goes_back_to_the_queue(site: Site) -> None:
    site.a_silent_daemon("silent")
    with site.operator():
        site.submit("job")
        site.jobs.until("job", _assigned_to("silent"))
        site.beat("silent", state="Offline")
        with site.daemon("real"):
            job = site.jobs.until("job", "Completed")
    assert job["status"]["assignment"]["daemon"] == "real"
    assert site.jobs.phases("job") == ["Pending", "Running", "Completed"]
    site.ledger.assert_nothing_twice()


def test_a_daemon_told_to_stop_finishes_what_runs_and_takes_nothing_new(site: Site) -> None:
    with site.operator():
        with site.daemon("daemon", capacity=2) as daemon:
            site.submit_held("running")
            daemon.terminate()
            site.daemons.until("daemon", lambda body: body["status"]["state"] == "Draining")
            site.submit("waiting")
            site.await_seen()
            site.ledger.release("running")
            assert daemon.exit_code() == 0
            site.jobs.until("running", "Completed")
        gone = site.daemons.until("daemon", lambda body: condition(body, "Ready").get("reason") == "ShutDown")
        assert gone["status"]["state"] == "Offline"
        site.jobs.until("waiting", lambda body: body["status"].get("reason") == "DaemonsOffline")
    assert site.ledger.runs_of("waiting") == []


def test_a_daemon_told_twice_to_stop_stops_what_runs_and_says_so(site: Site) -> None:
    with site.operator(), site.daemon("daemon") as daemon:
        site.submit("running", seconds=300)
        run = site.ledger.await_run("running")
        _stop_twice(daemon, site)
        assert daemon.exit_code() == 0
        job = site.jobs.until("running", "Failed")
    assert not is_alive(run.pid)
    assert job["status"]["reason"] == "DaemonShutdown"
    assert job["status"]["log"]["bytes"] > 0


def _stop_twice(daemon: Program, site: Site) -> None:
    daemon.terminate()
    site.daemons.until("daemon", lambda body: body["status"]["state"] == "Draining")
    daemon.terminate()


def _assigned_to(daemon: str) -> Callable[[dict[str, object]], bool]:
    def test(body: dict[str, object]) -> bool:
        status = body.get("status")
        assert isinstance(status, dict)
        return bool((status.get("assignment") or {}).get("daemon") == daemon)

    return test

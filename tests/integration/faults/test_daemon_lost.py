"""A daemon dies, freezes, is replaced or stopped: its runs end before their workspaces are used again."""

from collections.abc import Callable

from support.programs.ledger import await_death, is_alive
from support.programs.programs import Program
from support.test_namespace import ProductNamespace, condition

LOST_AFTER = 20
"""Seconds; the minimum of `lostAfterSeconds`."""


def test_the_jobs_of_a_killed_daemon_fail_and_its_runs_end_before_the_workspace_is_used_again(
    product: ProductNamespace,
) -> None:
    with product.operator(), product.daemon("one", lost_after=LOST_AFTER, grace=1, tags={"fleet": "a"}) as daemon:
        product.submit("first", tags={"fleet": "a"}, workspaceRef={"name": "dev"}, seconds=300, ignore_interrupt="true")
        run = product.ledger.await_run("first")
        product.submit("second", tags={"fleet": "a"}, workspaceRef={"name": "dev"})
        with product.daemon("two", lost_after=LOST_AFTER, tags={"fleet": "a"}):
            daemon.kill()
            job = product.jobs.until("first", "Failed")
            assert not is_alive(run.pid)
            assert job["status"]["reason"] == "DaemonLost"
            second = product.jobs.until("second", "Completed")
    assert second["status"]["assignment"]["daemon"] == "two"
    product.ledger.assert_nothing_twice()
    product.ledger.assert_no_overlap()
    assert product.daemons.versions("one")[-1]["status"]["state"] == "Offline"
    assert condition(product.daemons.versions("one")[-1], "Ready")["status"] == "Unknown"
    assert [event["reason"] for event in product.await_events("first", "DaemonLost")].count("DaemonLost") == 1


def test_a_daemon_that_comes_back_under_its_name_loses_its_old_jobs_at_once(product: ProductNamespace) -> None:
    with product.operator():
        with product.daemon("daemon", lost_after=3600, grace=2) as former:
            product.submit("first", workspaceRef={"name": "dev"}, seconds=300, ignore_interrupt="true")
            run = product.ledger.await_run("first")
            product.jobs.until("first", "Running")
            product.submit("second", workspaceRef={"name": "dev"})
            former.kill()
        with product.daemon("daemon", lost_after=3600, grace=2):
            job = product.jobs.until("first", "Failed")
            product.jobs.until("second", "Completed")
        await_death(run.pid)
    assert job["status"]["reason"] == "DaemonLost"
    product.ledger.assert_nothing_twice()
    product.ledger.assert_no_overlap()


def test_a_frozen_daemon_is_fenced_by_its_guards_before_it_is_lost(product: ProductNamespace) -> None:
    with product.operator(), product.daemon("frozen", lost_after=LOST_AFTER, tags={"fleet": "a"}) as daemon:
        product.submit("first", tags={"fleet": "a"}, workspaceRef={"name": "dev"}, seconds=300, ignore_interrupt="true")
        run = product.ledger.await_run("first")
        product.submit("second", tags={"fleet": "a"}, workspaceRef={"name": "dev"})
        with product.daemon("other", lost_after=60, tags={"fleet": "a"}):
            daemon.freeze()
            job = product.jobs.until("first", "Failed")
            assert not is_alive(run.pid)
            assert job["status"]["reason"] == "DaemonLost"
            product.jobs.until("second", "Completed")
            daemon.thaw()
            # The resumed daemon observes the job's end, writes nothing more about it, and runs other jobs.
            product.submit("third", tags={"fleet": "a"}, seconds=0.1)
            product.jobs.until("third", "Completed")
    assert product.jobs.phases("first") == ["Pending", "Running", "Failed"]
    product.ledger.assert_nothing_twice()
    product.ledger.assert_no_overlap()


def test_the_cancel_of_a_job_whose_daemon_died_is_finished_by_the_controller(product: ProductNamespace) -> None:
    with product.operator(), product.daemon("daemon", lost_after=LOST_AFTER, grace=1) as daemon:
        product.submit("job", seconds=300)
        run = product.ledger.await_run("job")
        product.jobs.until("job", "Running")
        daemon.kill()
        product.cancel("job", cancelReason="no longer wanted")
        job = product.jobs.until("job", "Canceled")
        assert not is_alive(run.pid)
    assert condition(job, "CancelRequested")["reason"] == "DaemonGone"
    assert "no longer wanted" in job["status"]["message"]


def test_an_assignment_to_a_daemon_that_stops_goes_back_to_the_queue(product: ProductNamespace) -> None:
    product.a_daemon_without_process("silent")
    with product.operator():
        product.submit("job")
        product.jobs.until("job", _assigned_to("silent"))
        product.beat("silent", state="Offline")
        with product.daemon("real"):
            job = product.jobs.until("job", "Completed")
    assert job["status"]["assignment"]["daemon"] == "real"
    assert product.jobs.phases("job") == ["Pending", "Running", "Completed"]
    product.ledger.assert_nothing_twice()


def test_a_stopping_daemon_finishes_its_runs_and_accepts_no_jobs(product: ProductNamespace) -> None:
    with product.operator():
        with product.daemon("daemon", capacity=2) as daemon:
            product.submit_held("running")
            daemon.terminate()
            product.daemons.until("daemon", lambda body: body["status"]["state"] == "Draining")
            product.submit("waiting")
            product.await_seen()
            product.ledger.release("running")
            assert daemon.exit_code() == 0
            product.jobs.until("running", "Completed")
        gone = product.daemons.until("daemon", lambda body: condition(body, "Ready").get("reason") == "ShutDown")
        assert gone["status"]["state"] == "Offline"
        product.jobs.until("waiting", lambda body: body["status"].get("reason") == "DaemonsOffline")
    assert product.ledger.runs_of("waiting") == []


def test_a_second_stop_signal_stops_the_runs_and_is_reported(product: ProductNamespace) -> None:
    with product.operator(), product.daemon("daemon") as daemon:
        product.submit("running", seconds=300)
        run = product.ledger.await_run("running")
        _stop_twice(daemon, product)
        assert daemon.exit_code() == 0
        job = product.jobs.until("running", "Failed")
    assert not is_alive(run.pid)
    assert job["status"]["reason"] == "DaemonShutdown"
    assert job["status"]["log"]["bytes"] > 0


def _stop_twice(daemon: Program, product: ProductNamespace) -> None:
    daemon.terminate()
    product.daemons.until("daemon", lambda body: body["status"]["state"] == "Draining")
    daemon.terminate()


def _assigned_to(daemon: str) -> Callable[[dict[str, object]], bool]:
    def test(body: dict[str, object]) -> bool:
        status = body.get("status")
        assert isinstance(status, dict)
        return bool((status.get("assignment") or {}).get("daemon") == daemon)

    return test

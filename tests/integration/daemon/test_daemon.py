"""A daemon and its jobs through every mishap, on a real API server with real processes."""

import os
import signal
from pathlib import Path

import psutil

from integration.daemon.conftest import PATIENCE, Office, wait_until

FOREVER = "3600"


def test_a_job_runs_to_its_end_with_outputs_and_an_archived_log(office: Office) -> None:
    office.start()
    office.submit("one", lines="2", outputs='{"url": "http://x"}')
    status = office.await_phase("one", "Completed")
    assert status["outputs"] == [{"name": "url", "value": "http://x"}]
    assert status["log"]["configMap"] == "one-log"
    assert "echo: line 2 of 2" in office.log("one")
    assert [owner["name"] for owner in office.kubectl.get("configmap", "one-log")["metadata"]["ownerReferences"]] == [
        "one"
    ]
    wait_until(lambda: office.daemon("d1")["completedJobs"] == 1, "the count")


def test_a_running_job_is_canceled(office: Office) -> None:
    office.start()
    office.submit("one", seconds=FOREVER)
    pid = office.await_run("one")
    office.kubectl.patch("provisionerjob", "one", {"spec": {"cancel": True}})
    status = office.await_phase("one", "Canceled")
    assert not psutil.pid_exists(pid)
    assert {condition["type"]: condition["reason"] for condition in status["conditions"]}[
        "CancelRequested"
    ] == "Stopped"


def test_a_job_that_ignores_the_interrupt_is_killed_after_the_grace(office: Office) -> None:
    office.start()
    office.submit("one", seconds=FOREVER, ignore_interrupt="true")
    pid = office.await_run("one")
    office.kubectl.patch("provisionerjob", "one", {"spec": {"cancel": True}})
    assert "killed" in office.await_phase("one", "Canceled")["message"]
    assert not psutil.pid_exists(pid)


def test_a_job_that_is_deleted_is_stopped(office: Office) -> None:
    office.start()
    office.submit("one", seconds=FOREVER)
    pid = office.await_run("one")
    office.kubectl.run("delete", "provisionerjob", "one")
    wait_until(lambda: not psutil.pid_exists(pid), "the end of the run")
    wait_until(lambda: office.daemon("d1")["state"] == "Idle", "the daemon to be idle")


def test_a_daemon_told_to_stop_finishes_what_runs_and_takes_nothing_new(office: Office) -> None:
    daemon = office.start("d1", "--lost-after-seconds", "60")
    office.submit("one", hold="true")
    office.await_run("one")
    daemon.send_signal(signal.SIGTERM)
    wait_until(lambda: office.daemon("d1")["state"] == "Draining", "the daemon to drain")
    office.submit("two")
    office.release("one")
    office.await_phase("one", "Completed")
    assert daemon.wait(PATIENCE) == 0
    assert office.daemon("d1")["state"] == "Offline"
    assert office.job("two")["phase"] == "Pending"


def test_a_daemon_told_twice_to_stop_stops_what_runs(office: Office) -> None:
    daemon = office.start()
    office.submit("one", seconds=FOREVER)
    pid = office.await_run("one")
    daemon.send_signal(signal.SIGTERM)
    wait_until(lambda: office.daemon("d1")["state"] == "Draining", "the daemon to drain")
    daemon.send_signal(signal.SIGTERM)
    assert office.await_phase("one", "Failed")["reason"] == "DaemonShutdown"
    assert daemon.wait(PATIENCE) == 0
    assert not psutil.pid_exists(pid)


def test_a_daemon_told_once_to_stop_interrupts_what_does_not_end_in_time(office: Office) -> None:
    daemon = office.start("d1", "--drain-seconds", "1")
    office.submit("one", seconds=FOREVER)
    pid = office.await_run("one")
    daemon.send_signal(signal.SIGTERM)
    status = office.await_phase("one", "Failed")
    assert (status["reason"], "--drain-seconds" in status["message"]) == ("DaemonShutdown", True)
    assert daemon.wait(PATIENCE) == 0
    assert not psutil.pid_exists(pid)
    assert office.daemon("d1")["state"] == "Offline"


def test_a_daemon_whose_object_is_gone_interrupts_its_run(office: Office) -> None:
    daemon = office.start("d1", "--lost-after-seconds", "60", "--cancel-grace-seconds", "60")
    office.submit("one", seconds=FOREVER)
    pid = office.await_run("one")
    office.kubectl.patch("provisionerdaemon", "d1", {"metadata": {"finalizers": []}})
    office.kubectl.run("delete", "provisionerdaemon", "d1")
    assert daemon.wait(PATIENCE) == 1
    assert not psutil.pid_exists(pid)
    assert office.ends("one") == 1, "it could end in order"
    assert "d1 was deleted or recreated" in office.said()


def test_a_killed_daemon_leaves_nothing_running(office: Office) -> None:
    daemon = office.start()
    office.submit("one", seconds=FOREVER)
    pid = office.await_run("one")
    daemon.kill()
    wait_until(lambda: not psutil.pid_exists(pid), "the end of the run")


def test_a_second_process_of_the_same_name_takes_over_and_the_first_stops_its_runs(
    office: Office, tmp_path: Path
) -> None:
    first = office.start()
    office.submit("one", seconds=FOREVER)
    pid = office.await_run("one")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    office.start("d1", "--work-dir", str(elsewhere))  # as on another machine, where no lock is shared
    assert first.wait(PATIENCE) == 1
    assert not psutil.pid_exists(pid)
    assert office.job("one")["phase"] == "Running", "what becomes of it is the controller's to say"
    office.submit("two")
    office.await_phase("two", "Completed")


def test_a_daemon_cut_off_stops_its_run_before_it_counts_as_lost_and_says_so_when_it_is_back(office: Office) -> None:
    office.start()
    office.submit("one", seconds=FOREVER)
    pid = office.await_run("one")
    office.cable.cut()
    wait_until(lambda: not psutil.pid_exists(pid), "the end of the run")
    office.cable.mend()
    assert office.await_phase("one", "Failed")["reason"] == "DaemonLost"
    assert office.starts("one") == 1


def test_a_daemon_cut_off_for_a_moment_keeps_its_run(office: Office) -> None:
    office.start()
    office.submit("one", hold="true")
    office.await_run("one")
    office.cable.cut()
    office.cable.mend()
    beat = office.daemon("d1")["lastHeartbeatTime"]
    wait_until(lambda: office.daemon("d1")["lastHeartbeatTime"] > beat, "a heartbeat after the cut")
    office.release("one")
    assert office.await_phase("one", "Completed")
    assert office.starts("one") == 1


def test_a_stopped_daemon_loses_its_run_to_the_guard(office: Office) -> None:
    daemon = office.start()
    office.submit("one", seconds=FOREVER, ignore_interrupt="true")
    pid = office.await_run("one")
    daemon.send_signal(signal.SIGSTOP)
    wait_until(lambda: not psutil.pid_exists(pid), "the end of the run")


def test_tags_given_again_replace_those_of_before(office: Office) -> None:
    office.start("d1", "--tag", "a=1", "--tag", "b=2").kill()
    office.start("d1", "--tag", "c=3")
    assert office.kubectl.get("provisionerdaemon", "d1")["spec"]["tags"] == {"c": "3"}
    wait_until(lambda: office.daemon("d1")["tags"] == "c=3", "the tags in the heartbeat")


def test_a_daemon_without_its_program_exits_and_leaves_no_object(office: Office) -> None:
    process = office.launch("d1", "--provisioner", "terraform", "--terraform", "/no/such")
    assert process.wait(PATIENCE) == 1
    assert "Error: The daemon has no executable /no/such. Install it in its image" in office.said()
    assert not office.kubectl.attempt("get", "pd", "d1").ok


def test_a_daemon_with_an_old_program_exits_and_leaves_no_object(office: Office, tmp_path: Path) -> None:
    program = tmp_path / "terraform"
    program.write_text("#!/bin/sh\necho Terraform v1.5.7\n")
    program.chmod(0o755)
    process = office.launch("d1", "--provisioner", "terraform", "--terraform", str(program))
    assert process.wait(PATIENCE) == 1
    assert f"Error: {program} is Terraform 1.5.7, which is too old." in office.said()
    assert not office.kubectl.attempt("get", "pd", "d1").ok


def test_a_daemon_whose_runs_fail_at_once_says_so_until_one_succeeds(office: Office) -> None:
    def is_healthy() -> bool:
        return not any(each["type"] == "Healthy" for each in office.daemon("d1")["conditions"])

    office.start("d1")
    for number in range(3):
        office.submit(f"broken-{number}", fail="no disk left")
        office.await_phase(f"broken-{number}", "Failed")
    wait_until(lambda: not is_healthy(), "the daemon to report it")
    office.submit("good")
    office.await_phase("good", "Completed")
    wait_until(is_healthy, "the daemon to be healthy again")


def test_runs_and_heartbeats_go_on_although_nobody_reads_the_daemons_output(office: Office) -> None:
    fifo = office.directory / "d1-0.log"
    os.mkfifo(fifo)
    # Open for both, so that neither side waits for the other, and a full pipe blocks its writer.
    unread = os.open(fifo, os.O_RDWR)
    try:
        office.start()
        for number in range(3):
            office.submit(f"loud-{number}", flood_bytes="1000000")
        office.submit("quiet", lines="2", outputs='{"url": "http://x"}')
        for name in ("quiet", "loud-0", "loud-1", "loud-2"):
            office.await_phase(name, "Completed")
        assert "echo: line 2 of 2" in office.log("quiet")
        before = office.daemon("d1")["lastHeartbeatTime"]
        wait_until(lambda: office.daemon("d1")["lastHeartbeatTime"] != before, "a further heartbeat")
    finally:
        os.close(unread)


def test_what_a_killed_daemon_left_on_disk_is_swept_by_the_next(office: Office) -> None:
    daemon = office.start()
    office.submit("one", seconds=FOREVER)
    office.await_run("one")
    [left] = office.run_directories()
    # The daemon first, stopped, so that it cannot see the end of its run; then its guard, which would tidy up.
    daemon.send_signal(signal.SIGSTOP)
    processes = office.processes()
    for process in processes:
        process.kill()
    daemon.kill()
    daemon.wait()
    psutil.wait_procs(processes, timeout=PATIENCE)
    assert left.exists()
    office.start()
    assert not left.exists()

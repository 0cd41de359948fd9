"""Locks of Terraform's states that daemons leave, or hold, on a real API server."""

import json
from typing import Any

import psutil

from integration.daemon.conftest import Office, terraform_flags, wait_until
from integration.daemon.test_terraform import SLEEPER, a_build, is_applying, sleeping

LOCK = "lock-tfstate-default-dev-7-ws"
STATE = "tfstate-default-dev-7-ws"
EMPTY = 'terraform {\n}\noutput "x" { value = 1 }\n'


def build(text: str, **options: Any) -> dict[str, Any]:
    spec = a_build(text, **options)
    del spec["variables"]
    return spec


def holder(office: Office) -> str | None:
    found: str | None = office.kubectl.get("lease", LOCK).get("spec", {}).get("holderIdentity")
    return found


def end_at_once(office: Office, name: str) -> None:
    """Kill everything that runs the job, as the end of a machine does."""
    office.submit_spec(name, build(SLEEPER))
    sleeping(office, name)
    (daemon,) = (psutil.Process(each.pid) for each in office.running())
    doomed = [daemon, *daemon.children(recursive=True)]
    # Stopped first: none of them may notice the end of another.
    for process in doomed:
        process.suspend()
    for process in doomed:
        process.kill()
    psutil.wait_procs(doomed, timeout=30)


def test_the_lock_of_a_dead_run_is_taken_over_with_an_event(office: Office) -> None:
    office.start_terraform("d1")
    end_at_once(office, "one")
    left = holder(office)
    assert left == f"provisioner.dev/{office.job('one')['assignment']['id']}"
    office.start_terraform("d1")
    # The new process holds the lock file of the former one, so there is no need to wait.
    office.lose("one", 0)
    office.submit_spec("two", build(SLEEPER, transition="Delete"))
    office.await_phase("two", "Completed")
    assert "was still locked by job one on daemon d1" in office.log("two")
    (event,) = (each for each in office.kubectl.json("get", "events")["items"] if each["reason"] == "StateLockReleased")
    assert "was still locked by job one on daemon d1" in event["message"]
    assert event["involvedObject"]["name"] == "two"


def test_the_lock_of_a_run_that_may_live_is_not_touched(office: Office) -> None:
    office.start_terraform("d1")
    office.start_terraform("d2")
    office.submit_spec("one", build(SLEEPER))
    office.await_phase("one", "Running")
    wait_until(lambda: any(map(is_applying, office.processes())), "job one to apply")
    left = holder(office)
    # The controller would not assign it before the first has ended.
    office.submit_spec("two", build(EMPTY), "d2")
    status = office.await_phase("two", "Failed")
    assert status["reason"] == "StateLocked"
    assert "is locked by job one on daemon d1 since" in status["message"]
    assert holder(office) == left
    assert office.job("one")["phase"] == "Running"


def test_the_lock_of_a_daemon_whose_name_another_machine_uses_is_taken_after_its_fence(office: Office) -> None:
    office.start_terraform("d1")
    end_at_once(office, "one")
    lost_after = office.daemon("d1")["lostAfterSeconds"]
    office.lose("one", lost_after - 30)
    left = holder(office)
    # A process of the same name on another machine, which has another lock file.
    office.kubectl.patch("pd", "d1", {"status": {"instance": "elsewhere"}}, subresource="status")
    office.start("d2", *terraform_flags())
    office.submit_spec("two", build(EMPTY), "d2")
    office.await_phase("two", "Completed")
    assert "that run is certainly over, and this one takes the lock" in office.log("two")
    assert "was still locked by job one on daemon d1" in office.log("two")
    assert holder(office) != left


def test_terraform_by_hand_respects_the_lock_of_a_run(office: Office) -> None:
    office.start_terraform("d1")
    office.submit_spec("one", build(SLEEPER))
    sleeping(office, "one")
    info = json.loads(office.kubectl.get("lease", LOCK)["metadata"]["annotations"]["app.terraform.io/lock-info"])
    assert info["ID"] == holder(office)
    assert info["Who"] == "job one on daemon d1"
    office.kubectl.patch("provisionerjob", "one", {"spec": {"cancel": True}})
    office.await_phase("one", "Canceled")
    assert holder(office) is None
    assert office.kubectl.get("secret", STATE)

"""States that Terraform could not save, by real failures of a real API server: nothing of them is lost."""

import base64
import gzip
import json
import shutil
import signal
import time
from typing import Any

import pytest

from integration.daemon.conftest import PATIENCE, Office, wait_until
from provisioner_devcluster.build.go_build import build
from provisioner_devcluster.build.go_modules import OPENTOFU

WORKSPACE = "dev-7"
STATE = f"tfstate-default-{WORKSPACE}-ws"
LOCK = f"lock-tfstate-default-{WORKSPACE}-ws"
KEPT = f"unsaved-tfstate-default-{WORKSPACE}-ws"
MADE = 'resource "terraform_data" "made" {}\n'
LARGE = """
locals { parts = [for i in range(1000) : join("", [for j in range(12) : sha512("${i}.${j}")])] }
resource "terraform_data" "large" { input = join("", local.parts) }
"""
"""A template whose state, compressed, exceeds the 1 MiB of a Secret."""


def gated(gate: str) -> str:
    """Return a template that has made something and then waits at the gate."""
    return f"""{MADE}
resource "terraform_data" "gate" {{
  depends_on = [terraform_data.made]
  provisioner "local-exec" {{ command = "touch {gate}.reached; while [ ! -e {gate} ]; do sleep 0.1; done" }}
}}
"""


def a_build(text: str, *, transition: str = "Start") -> dict[str, Any]:
    return {
        "transition": transition,
        "workspaceRef": {"name": WORKSPACE},
        "source": {"inline": {"files": {"main.tf": text}}},
    }


def stored_resources(office: Office) -> set[str]:
    state = gzip.decompress(base64.b64decode(office.kubectl.get("secret", STATE)["data"]["tfstate"]))
    return {resource["name"] for resource in json.loads(state)["resources"]}


def kept_secrets(office: Office) -> list[str]:
    names = sorted(each["metadata"]["name"] for each in office.kubectl.list_all("secret"))
    return [name for name in names if name.startswith(KEPT)]


def kept_resources(office: Office) -> set[str]:
    """Read the state as docs/state.md says."""
    chunks = [office.kubectl.get("secret", name)["data"]["state"] for name in kept_secrets(office)]
    state = gzip.decompress(b"".join(map(base64.b64decode, chunks)))
    return {resource["name"] for resource in json.loads(state)["resources"]}


def cut_during_apply(office: Office) -> None:
    """Submit a job, and cut the daemon and its Terraform off from the API server while it applies."""
    gate = office.directory / "gate"
    office.submit_spec("one", a_build(gated(str(gate))))
    wait_until(gate.with_name("gate.reached").exists, "the apply to be at the gate")
    office.cable.cut()
    gate.touch()
    wait_until(lambda: any(office.directory.rglob("errored.tfstate")), "Terraform to give up")


def is_locked(office: Office) -> bool:
    return bool(office.kubectl.get("lease", LOCK)["spec"].get("holderIdentity"))


def test_a_state_is_saved_once_the_api_server_is_back(office: Office) -> None:
    office.start_terraform("d1")
    cut_during_apply(office)
    time.sleep(3)  # tries meanwhile
    office.cable.mend()
    status = office.await_phase("one", "Failed")
    assert "the daemon has saved it since" in status["message"]
    assert stored_resources(office) == {"made", "gate"}
    assert not is_locked(office)
    assert not office.run_directories()
    office.submit_spec("two", a_build(gated("unused"), transition="Delete"))
    assert {each["address"] for each in office.await_phase("two", "Completed")["resources"]} >= {"terraform_data.made"}


def test_a_state_whose_daemon_died_is_saved_by_its_next_process(office: Office) -> None:
    daemon = office.start_terraform("d1")
    cut_during_apply(office)
    daemon.kill()
    daemon.wait()
    office.cable.mend()
    office.start_terraform("d1")
    wait_until(lambda: not office.daemon("d1").get("unsavedStates"), "the state to be saved")
    assert stored_resources(office) == {"made", "gate"}
    assert not is_locked(office)
    assert not office.run_directories()


def test_a_state_that_is_too_large_is_kept_in_secrets_until_a_build_can_save_it(office: Office) -> None:
    # OpenTofu has room for one Secret; Terraform splits the state.
    office.start_terraform("d1", "--terraform", str(build(OPENTOFU)))
    office.submit_spec("one", a_build(LARGE))
    status = office.await_phase("one", "Failed")
    assert status["reason"] == "StateUnsaved", status["message"]
    assert f"kept in the Secrets {KEPT}-0 and following" in status["message"]
    assert kept_secrets(office) == [f"{KEPT}-{number}" for number in range(4)]
    assert kept_resources(office) == {"large"}
    assert not is_locked(office)
    wait_until(lambda: not office.daemon("d1").get("unsavedStates"), "a heartbeat without the state")

    office.submit_spec("two", a_build(LARGE))
    status = office.await_phase("two", "Failed")
    assert (status["reason"], status.get("timings", [])) == ("StateUnsaved", [])

    terraform = shutil.which("terraform")
    if terraform is not None:
        office.start_terraform("d2", "--terraform", terraform)
        office.submit_spec("three", a_build(LARGE), "d2")
        assert office.await_phase("three", "Completed").get("resources", []) == []
        assert kept_secrets(office) == []


@pytest.fixture
def quota(office: Office) -> Office:
    """A namespace that may have one Secret, that of a state."""
    body = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "one"}}
    office.kubectl.create(body | {"spec": {"hard": {"count/secrets": "1"}}})
    wait_until(lambda: "hard" in office.kubectl.get("resourcequota", "one").get("status", {}), "the quota to count")
    return office


def test_a_daemon_stays_with_a_state_that_may_be_stored_nowhere(quota: Office) -> None:
    daemon = quota.start_terraform("d1")
    quota.submit_spec("one", a_build(LARGE))
    status = quota.await_phase("one", "Failed")
    assert status["reason"] == "StateUnsaved", status["message"]
    assert "exceeded quota" in status["message"]
    wait_until(lambda: "nor can it be kept in Secrets" in str(quota.daemon("d1")["unsavedStates"]), "a heartbeat")
    (listed,) = quota.daemon("d1")["unsavedStates"]
    assert (listed["workspace"], listed["job"]) == (WORKSPACE, "one")
    daemon.send_signal(signal.SIGTERM)
    wait_until(lambda: quota.daemon("d1")["state"] == "Draining", "the daemon to drain")
    time.sleep(2)
    assert daemon.poll() is None
    quota.kubectl.run("delete", "resourcequota", "one")
    assert daemon.wait(PATIENCE) == 0
    assert kept_secrets(quota)
    assert (quota.daemon("d1")["state"], quota.daemon("d1").get("unsavedStates")) == ("Offline", [])

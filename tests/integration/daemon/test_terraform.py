"""Terraform runs on a real API server: where state and lock go, and what becomes of secrets and of a dead run."""

import io
import json
import signal
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import psutil
import pytest
from typing_extensions import override

from integration.daemon.conftest import PATIENCE, Office, terraform_flags, wait_until
from provisioner_operator.daemon.execution.guard import SIGNALED
from support.pid_namespace import in_pid_namespace

CONFIGURATION = """
terraform {
  backend "local" {}
}
variable "provisioner_transition" {}
variable "token" {}
resource "terraform_data" "kept" {}
resource "terraform_data" "counted" {
  count = var.provisioner_transition == "start" ? 1 : 0
  provisioner "local-exec" {
    command = "echo the token is ${var.token}"
  }
}
output "transition" { value = var.provisioner_transition }
"""
SLEEPER = """
resource "terraform_data" "first" {}
resource "terraform_data" "second" {
  depends_on = [terraform_data.first]
  provisioner "local-exec" { command = "exec sleep 3600" }
}
"""
TOKEN = "hunter2hunter2"


@pytest.fixture
def tofu_office(office: Office) -> Office:
    office.kubectl.run("create", "secret", "generic", "cloud", f"--from-literal=token={TOKEN}")
    office.start_terraform("d1")
    return office


def a_build(text: str, *, transition: str = "Start", workspace: str = "dev-7") -> dict[str, Any]:
    return {
        "transition": transition,
        "workspaceRef": {"name": workspace},
        "source": {"inline": {"files": {"main.tf": text}}},
        "variables": [{"name": "token", "valueFrom": {"secretKeyRef": {"name": "cloud", "key": "token"}}}],
    }


def actions(status: dict[str, Any]) -> dict[str, str]:
    return {resource["address"]: resource["action"] for resource in status.get("resources", [])}


def is_applying(process: psutil.Process) -> bool:
    try:
        return "apply" in process.cmdline()[:2] and any("sleep" in child.name() for child in process.children())
    except psutil.NoSuchProcess:
        return False


def sleeping(office: Office, name: str) -> psutil.Process:
    """Wait until the run of SLEEPER sleeps and return the program above it."""
    office.await_phase(name, "Running")
    wait_until(lambda: any(map(is_applying, office.processes())), f"job {name} to apply")
    return next(filter(is_applying, office.processes()))


def test_a_workspace_is_started_stopped_and_deleted_on_one_state(tofu_office: Office) -> None:
    done = {}
    for name, transition in (("one", "Start"), ("two", "Stop"), ("three", "Delete")):
        tofu_office.submit_spec(name, a_build(CONFIGURATION, transition=transition))
        done[name] = tofu_office.await_phase(name, "Completed")
    counted, kept = "terraform_data.counted[0]", "terraform_data.kept"
    assert actions(done["one"]) == {counted: "create", kept: "create"}
    assert done["one"]["outputs"] == [{"name": "transition", "value": "start"}]
    assert actions(done["two"]) == {counted: "delete"}
    assert actions(done["three"]) == {kept: "delete"}
    assert [timing["stage"] for timing in done["three"]["timings"]] == ["init", "plan", "destroy"]
    assert "its Secret tfstate-default-dev-7-ws and its lock were removed" in tofu_office.log("three")
    assert not tofu_office.kubectl.attempt("get", "secret", "tfstate-default-dev-7-ws").ok
    assert not tofu_office.kubectl.attempt("get", "lease", "lock-tfstate-default-dev-7-ws").ok


def test_a_secret_is_in_no_log_and_in_no_status(tofu_office: Office) -> None:
    tofu_office.submit_spec("one", a_build(CONFIGURATION))
    status = tofu_office.await_phase("one", "Completed")
    assert "the token is (secret)" in tofu_office.log("one")
    assert TOKEN not in tofu_office.log("one") + tofu_office.said() + str(status)


def test_a_canceled_run_keeps_what_it_did_and_releases_its_lock(tofu_office: Office) -> None:
    tofu_office.submit_spec("one", a_build(SLEEPER))
    sleeping(tofu_office, "one")
    tofu_office.kubectl.patch("provisionerjob", "one", {"spec": {"cancel": True}})
    assert actions(tofu_office.await_phase("one", "Canceled")) == {"terraform_data.first": "create"}
    tofu_office.submit_spec("two", a_build(SLEEPER, transition="Delete"))
    assert "terraform_data.first" in actions(tofu_office.await_phase("two", "Completed"))


def test_a_run_that_hangs_is_stopped_although_terraform_says_that_it_still_waits(tofu_office: Office) -> None:
    # More than the ten seconds after which Terraform repeats that it waits, so that each repetition would count.
    tofu_office.submit_spec("one", a_build(SLEEPER) | {"stallTimeoutSeconds": 12})
    sleeping(tofu_office, "one")
    assert tofu_office.await_phase("one", "Failed")["reason"] == "Stalled"


def test_a_daemon_releases_the_lock_of_a_terraform_that_was_killed(tofu_office: Office) -> None:
    tofu_office.submit_spec("one", a_build(SLEEPER))
    sleeping(tofu_office, "one").kill()
    assert "killed by signal 9" in tofu_office.await_phase("one", "Failed")["message"]
    tofu_office.submit_spec("two", a_build(SLEEPER, transition="Delete"))
    tofu_office.await_phase("two", "Completed")
    assert "lock" not in tofu_office.log("two").replace("its lock were removed", "")


def test_terraform_saves_its_state_when_its_daemon_is_killed_in_its_container(office: Office) -> None:
    assert in_pid_namespace(["true"]).returncode == 0  # or skip
    spec = a_build(SLEEPER)
    del spec["variables"]
    with office.container("d1", *terraform_flags()) as outer:
        office.submit_spec("one", spec)
        wait_until(lambda: any(map(is_applying, outer.children(recursive=True))), "the job to apply")
        (first,) = outer.children()
        (daemon,) = first.children()
        daemon.kill()
        assert outer.wait(PATIENCE) == SIGNALED + signal.SIGKILL
    # Nothing was forgotten, and the lock that is left is that of a run which is certainly over.
    office.start_terraform("d1")
    office.lose("one")
    office.submit_spec("two", spec | {"transition": "Delete"})
    assert "terraform_data.first" in actions(office.await_phase("two", "Completed"))


class _Registry(BaseHTTPRequestHandler):
    """Serves a module, but is overloaded at first."""

    failures = 2
    module = b""

    def do_GET(self) -> None:
        if _Registry.failures:
            _Registry.failures -= 1
            self.send_error(503)
            return
        self.send_response(200)
        self.send_header("Content-Type", "application/zip")
        self.send_header("Content-Length", str(len(self.module)))
        self.end_headers()
        self.wfile.write(self.module)

    @override
    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_init_is_tried_again_when_a_modules_server_is_overloaded(tofu_office: Office) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("main.tf", 'resource "terraform_data" "inner" {}')
    _Registry.module = archive.getvalue()
    with ThreadingHTTPServer(("127.0.0.1", 0), _Registry) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        template = f'module "m" {{ source = "http://127.0.0.1:{server.server_port}/m.zip" }}\nvariable "token" {{}}'
        tofu_office.submit_spec("one", a_build(template))
        status = tofu_office.await_phase("one", "Completed")
        server.shutdown()
    assert actions(status) == {"module.m.terraform_data.inner": "create"}
    assert "This failure may pass: trying again in 5 s." in tofu_office.log("one")
    assert [timing["stage"] for timing in status["timings"]] == ["init", "plan", "apply"]


def test_a_template_that_moves_its_state_away_is_refused(tofu_office: Office) -> None:
    spec = a_build("")
    spec["source"]["inline"]["files"]["zz_override.tf"] = 'terraform {\n  backend "local" {}\n}\n'
    tofu_office.submit_spec("one", spec)
    assert "overrides the backend of its state" in tofu_office.await_phase("one", "Failed")["message"]


def test_a_state_that_comes_with_the_source_does_not_become_the_workspaces(tofu_office: Office) -> None:
    foreign = {
        "mode": "managed",
        "type": "terraform_data",
        "name": "foreign",
        "provider": 'provider["terraform.io/builtin/terraform"]',
        "instances": [
            {"schema_version": 0, "attributes": {"id": "x", "input": None, "output": None, "triggers_replace": None}}
        ],
    }
    state = {
        "version": 4,
        "terraform_version": "1.9.0",
        "serial": 1,
        "lineage": "foreign",
        "outputs": {},
        "resources": [foreign],
    }
    spec = a_build('resource "terraform_data" "own" {}\n')
    spec["source"]["inline"]["files"]["terraform.tfstate"] = json.dumps(state)
    tofu_office.submit_spec("one", spec)
    assert actions(tofu_office.await_phase("one", "Completed")) == {"terraform_data.own": "create"}
    assert "terraform.tfstate is left out" in tofu_office.log("one")


def test_files_keep_their_folders_and_a_script_of_a_config_map_can_be_run(tofu_office: Office) -> None:
    script = "#!/bin/sh\necho this is $0\n"
    run = 'resource "terraform_data" "ran" {\n  provisioner "local-exec" { command = "PATH" }\n}\n'
    spec = a_build('module "a" { source = "./modules/a" }\n')
    spec["source"]["inline"]["files"] |= {
        "modules/a/main.tf": run.replace("PATH", "${path.module}/scripts/run.sh"),
        "modules/a/scripts/run.sh": script,
    }
    tofu_office.submit_spec("one", spec)
    assert actions(tofu_office.await_phase("one", "Completed")) == {"module.a.terraform_data.ran": "create"}
    assert "this is modules/a/scripts/run.sh" in tofu_office.log("one")
    main = run.replace("PATH", "./run.sh")
    tofu_office.kubectl.run(
        "create", "configmap", "files", f"--from-literal=main.tf={main}", f"--from-literal=run.sh={script}"
    )
    tofu_office.submit_spec("two", {**a_build("", workspace="dev-8"), "source": {"configMapRef": {"name": "files"}}})
    assert actions(tofu_office.await_phase("two", "Completed")) == {"terraform_data.ran": "create"}
    assert "this is ./run.sh" in tofu_office.log("two")

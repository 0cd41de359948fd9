"""States in the backend that the files name, `spec.state`: runs of real programs, and a server that stores and locks."""

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from provisioner_devcluster import find_tofu
from provisioner_devcluster.build.go_build import build
from provisioner_devcluster.build.go_modules import OPENTOFU
from provisioner_operator.api.v1alpha1.enums import EndReason, Phase
from provisioner_operator.core.jobs.outcome import Outcome
from provisioner_operator.daemon.execution.contact import Contact
from provisioner_operator.daemon.execution.guard import now
from provisioner_operator.daemon.execution.run import Run
from provisioner_operator.daemon.logs.run_log import RunLog
from provisioner_operator.daemon.terraform.binaries.binary import Binaries
from provisioner_operator.daemon.terraform.provisioner import Terraform
from provisioner_operator.daemon.terraform.state import ClusterAccess
from provisioner_operator.kube import paths
from support.programs.state_server import PASSWORD, USERNAME, StateServer, a_state_server
from unit.daemon.builders import Objects, RememberingConsole, a_secret, a_task

PROGRAMS: dict[str, Callable[[], Path]] = {"found": find_tofu, "opentofu": lambda: build(OPENTOFU)}
TEMPLATE = """
terraform {
  backend "http" {}
}
variable "provisioner_transition" {}
resource "terraform_data" "kept" {}
resource "terraform_data" "counted" {
  count = var.provisioner_transition == "start" ? 1 : 0
}
output "address" { value = terraform_data.kept.id }
"""
PATH = "/acme/dev"
LONG = 3600.0


class Daemon:
    """The part of a daemon that runs the builds of one workspace."""

    def __init__(self, program: Path, states: StateServer, directory: Path) -> None:
        self.states = states
        self.console = RememberingConsole()
        self._directory = directory
        self._program = program
        self._objects = Objects({paths.secret("acme", "login"): a_secret(password=PASSWORD)})

    def build(self, *, text: str = TEMPLATE, transition: str = "Start", **settings: str) -> Outcome:
        place = f"{self.states.url}/$(provisioner_namespace)/$(provisioner_workspace)"
        plain = {"address": place, "lock_address": place, "unlock_address": place, "username": USERNAME} | settings
        password = {"name": "password", "valueFrom": {"secretKeyRef": {"name": "login", "key": "password"}}}
        config = [*({"name": name, "value": value} for name, value in plain.items()), password]
        spec: dict[str, Any] = {
            "transition": transition,
            "source": {"inline": {"files": {"main.tf": text}}},
            "state": {"backend": "Template", "backendConfig": config},
        }
        return asyncio.run(self._carry_out(spec))

    async def _carry_out(self, spec: dict[str, Any]) -> Outcome:
        task = a_task(**spec)
        log = RunLog(task.job.namespace, task.job.name, self.console)
        access = ClusterAccess(Path("/etc/kubeconfig"))
        terraform = Terraform(self._objects, binaries=Binaries(self._program), access=access)
        run = Run(task, terraform, contact=Contact(now(), LONG), grace=LONG, log=log, directory=self._directory)
        return await run.execute()

    @property
    def log(self) -> str:
        return "\n".join(self.console.lines)


@pytest.fixture(params=PROGRAMS)
def daemon(request: pytest.FixtureRequest) -> Iterator[Daemon]:
    with a_state_server() as states, tempfile.TemporaryDirectory(prefix="own-") as folder:
        yield Daemon(PROGRAMS[request.param](), states, Path(folder))


def test_a_workspace_is_started_stopped_and_deleted_on_its_state_in_the_backend(daemon: Daemon) -> None:
    kept = []
    for transition in ("Start", "Stop", "Delete"):
        outcome = daemon.build(transition=transition)
        assert outcome.phase is Phase.COMPLETED, daemon.log
        kept.append([each["name"] for each in daemon.states.state(PATH)["resources"]])
    assert kept == [["counted", "kept"], ["kept"], []]
    assert list(daemon.states.states) == [PATH]
    assert daemon.states.locks == {}
    assert daemon.states.times_locked >= len(kept)
    assert PASSWORD not in daemon.log


def test_a_locked_state_is_reported_and_left_alone(daemon: Daemon) -> None:
    daemon.states.lock(PATH, "somebody@elsewhere")
    outcome = daemon.build()
    assert outcome.reason is EndReason.STATE_LOCKED
    assert "is locked (lock id 1-2-3" in outcome.message
    assert "force-unlock 1-2-3" in outcome.message
    assert list(daemon.states.locks) == [PATH]
    assert daemon.states.states == {}


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ("", "the files name no backend for the state"),
        ('terraform {\n  backend "local" {}\n}\n', "does not take spec.state.backendConfig"),
    ],
)
def test_files_that_would_lose_the_state_are_refused_before_anything_is_applied(
    daemon: Daemon, block: str, said: str
) -> None:
    outcome = daemon.build(text=f'{block}resource "terraform_data" "kept" {{}}\n')
    assert outcome.phase is Phase.FAILED
    assert said in outcome.message
    assert outcome.resources == ()
    assert [timing.stage for timing in outcome.timings] == ["init"]


def test_a_setting_that_the_backend_does_not_have_is_named(daemon: Daemon) -> None:
    message = daemon.build(bucket="states").message
    assert "does not take spec.state.backendConfig" in message
    assert "bucket" in message

"""Real daemons on a real API server. There is no controller here: the tests assign the jobs themselves."""

import json
import os
import signal
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from integration.daemon.cable import Cable
from provisioner_devcluster import find_tofu
from provisioner_operator.api.v1alpha1.enums import EndReason, Phase
from provisioner_operator.core.jobs.status_writes import assign
from provisioner_operator.core.model.json_patch import timestamp
from provisioner_operator.kube.parsing import parse_daemon, parse_job
from support.cluster.kubectl import Kubectl
from support.cluster.shared_cluster import Cluster
from support.pid_namespace import unshare
from support.programs.fork_server import ForkedProcess

PATIENCE = 150.0
PAUSE = 0.15
"""Seconds between two looks, most of which are requests; nothing waits for less than a process."""
SOURCES = Path(__file__).parents[3] / "operator"


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Return once the condition holds; fail when it takes too long."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited {PATIENCE:.0f} s for {what}"
        time.sleep(PAUSE)


def terraform_flags() -> tuple[str, ...]:
    """Return the options of a daemon that runs Terraform, which takes its time to start and to stop."""
    patient = ("--cancel-grace-seconds", "60", "--lost-after-seconds", "120")
    return ("--provisioner", "terraform", "--terraform", str(find_tofu()), *patient)


class Office:
    """One namespace: starts daemons, assigns jobs, and looks at what became of them."""

    def __init__(self, kubeconfig: Path, namespace: str, directory: Path) -> None:
        self.kubectl = Kubectl(kubeconfig, namespace)
        self.namespace = namespace
        self.directory = directory
        self.cable = Cable(yaml.safe_load(kubeconfig.read_text())["clusters"][0]["cluster"]["server"])
        self.kubeconfig: Path | None = self._through_cable(kubeconfig)
        """Of its daemons; None if they find one by themselves."""
        self._started: list[ForkedProcess] = []

    def start(self, name: str = "d1", *flags: str) -> ForkedProcess:
        """Start a daemon that is lost after ten seconds, and wait until it reports."""
        before = self.daemon(name).get("instance")
        process = self.launch(name, *flags)
        wait_until(lambda: self.daemon(name).get("instance") not in {None, before}, f"daemon {name} to report")
        return process

    def launch(self, name: str, *flags: str) -> ForkedProcess:
        """Start a daemon that is lost after ten seconds, and do not wait for it."""
        log = self.directory / f"{name}-{len(self._started)}.log"
        arguments = self._arguments(name, *flags)
        process = ForkedProcess("provisioner_operator.daemon", arguments, self._environment(), log)
        self._started.append(process)
        return process

    @contextmanager
    def container(self, name: str, *flags: str) -> Iterator[psutil.Popen]:
        """Run a daemon below the first process of a PID namespace of its own, and wait until it reports."""
        program = (sys.executable, "-c", "from provisioner_operator.daemon.entry_point import main; main()")
        with (self.directory / f"{name}-container.log").open("wb") as log:
            process = psutil.Popen(
                [*unshare(), *program, *self._arguments(name, *flags)], env=self._environment(), stdout=log, stderr=log
            )
        try:
            wait_until(lambda: self.daemon(name).get("instance") is not None, f"daemon {name} to report")
            yield process
        finally:
            with suppress(psutil.NoSuchProcess):
                process.kill()  # and with it its namespace
            process.wait()

    def _environment(self) -> dict[str, str]:
        return os.environ | {
            "PYTHONPATH": str(SOURCES),
            "PROVISIONER_ECHO_LEDGER": str(self.directory / "ledger"),
        }

    def _arguments(self, name: str, *flags: str) -> tuple[str, ...]:
        kubeconfig = () if self.kubeconfig is None else ("--kubeconfig", str(self.kubeconfig))
        return (
            *("run", "--namespace", self.namespace, "--name", name, *kubeconfig),
            *("--provisioner", "echo", "--capacity", "4"),
            *("--lost-after-seconds", "10", "--cancel-grace-seconds", "2"),
            *("--work-dir", str(self.directory), *flags),
        )

    def start_terraform(self, name: str, *flags: str) -> ForkedProcess:
        """Start a daemon that runs Terraform, which takes its time to start and to stop."""
        return self.start(name, *terraform_flags(), *flags)

    def daemon(self, name: str) -> dict[str, Any]:
        """The status of a daemon; empty if there is none."""
        reply = self.kubectl.api.get("provisionerdaemon", name)
        return reply.body.get("status", {}) if reply.ok else {}

    def submit(self, name: str, daemon: str = "d1", **variables: str) -> None:
        """Create an echo job and assign it."""
        spec = {
            "provisioner": "echo",
            "transition": "Start",
            "workspaceRef": {"name": f"ws-{name}"},
            "variables": [{"name": key, "value": value} for key, value in variables.items()],
        }
        self.submit_spec(name, spec, daemon)

    def submit_spec(self, name: str, spec: dict[str, Any], daemon: str = "d1") -> None:
        """Create a job of this spec and assign it."""
        body = {
            "apiVersion": "provisioner.dev/v1alpha1",
            "kind": "ProvisionerJob",
            "metadata": {"name": name},
            "spec": spec,
        }
        job = parse_job(self.kubectl.create(body))
        given = parse_daemon(self.kubectl.get("provisionerdaemon", daemon))
        patch = [dict(operation) for operation in assign(job, given, str(uuid.uuid4()), time.time()).operations()]
        self.kubectl.patch("provisionerjob", name, patch, subresource="status")

    def job(self, name: str) -> dict[str, Any]:
        """The status of a job."""
        status: dict[str, Any] = self.kubectl.get("provisionerjob", name)["status"]
        return status

    def await_phase(self, name: str, phase: str) -> dict[str, Any]:
        """Wait until the job is in this phase and return its status."""
        wait_until(lambda: self.job(name)["phase"] == phase, f"job {name} to be {phase}")
        return self.job(name)

    def await_run(self, name: str) -> int:
        """Wait until the job's program runs and return its pid."""
        wait_until(lambda: bool(self._pids(name)), f"job {name} to run")
        return self._pids(name)[0]

    def release(self, name: str) -> None:
        """Let a job that was submitted with `hold` go on to its end."""
        (self.directory / f"ledger.released-{name}").touch()

    def starts(self, name: str) -> int:
        """Return the number of starts of the job's program."""
        return len(self._pids(name))

    def ends(self, name: str) -> int:
        """Return the number of times that the job's program came to its end by itself, interrupted or not."""
        return len(self._pids(name, "end"))

    def log(self, name: str) -> str:
        """Return the archived log of a job."""
        text: str = self.kubectl.get("configmap", f"{name}-log")["data"]["log"]
        return text

    def running(self) -> list[ForkedProcess]:
        """Return the daemons that have not ended."""
        return [process for process in self._started if process.poll() is None]

    def processes(self) -> list[psutil.Process]:
        """Return all processes below the daemons."""
        roots = [psutil.Process(process.pid) for process in self.running()]
        return [child for root in roots for child in root.children(recursive=True)]

    def said(self) -> str:
        """Return everything that the daemons wrote to their outputs."""
        return "".join(log.read_text() for log in self.directory.glob("*.log"))

    def lose(self, name: str, seconds_ago: float = 0.0) -> None:
        """End a job as the controller does for a lost daemon."""
        finished = timestamp(time.time() - seconds_ago)
        status = {"phase": Phase.FAILED, "reason": EndReason.DAEMON_LOST, "finishedAt": finished}
        self.kubectl.patch("pj", name, {"status": status}, subresource="status")

    def run_directories(self) -> list[Path]:
        """Return the directories of runs; the daemon has another one of its own, for Terraform's login."""
        return [each for each in self.directory.glob("provisioner-run-*") if "-login-" not in each.name]

    def close(self) -> None:
        """Stop what still runs."""
        for process in self._started:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait()
        self.cable.close()

    def _pids(self, name: str, event: str = "start") -> list[int]:
        ledger = self.directory / "ledger"
        lines = ledger.read_text().splitlines(keepends=True) if ledger.exists() else []
        entries = [json.loads(line) for line in lines if line.endswith("\n")]
        return [entry["pid"] for entry in entries if entry["event"] == event and entry["job_name"] == name]

    def _through_cable(self, kubeconfig: Path) -> Path:
        config = yaml.safe_load(kubeconfig.read_text())
        config["clusters"][0]["cluster"]["server"] = self.cable.server
        path = self.directory / "kubeconfig"
        path.write_text(yaml.safe_dump(config))
        return path


@pytest.fixture
def office(cluster: Cluster, namespace: str, tmp_path: Path) -> Iterator[Office]:
    """A namespace with daemons of the test's own."""
    office = Office(cluster.kubeconfig, namespace, tmp_path)
    try:
        yield office
    finally:
        office.close()

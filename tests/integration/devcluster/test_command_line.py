"""The command line `provisioner-devcluster`: up, status, down, and no leftovers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from provisioner_devcluster import supervisor
from provisioner_devcluster.clusters import named_directory
from provisioner_devcluster.locations import clusters_directory
from provisioner_devcluster.process.process import Identity, still_running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.devcluster.conftest import Kubectl
    from provisioner_devcluster import ControlPlane


def devcluster(*arguments: str, expect: int = 0) -> str:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-m", "provisioner_devcluster", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=280)
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def name() -> Iterator[str]:
    """Return a cluster name of this test process's own."""
    chosen = f"test-{os.getpid()}"
    yield chosen
    supervisor.stop(chosen)


def launched(name: str) -> list[Identity]:
    record = supervisor.find(name)
    assert record is not None
    return [record.owner, *record.components.values()]


def kill_scheduler(name: str) -> None:
    record = supervisor.find(name)
    assert record is not None
    os.kill(record.components["kube-scheduler"].pid, signal.SIGKILL)


def test_up_a_second_up_status_of_all_and_of_a_dead_component_and_down(name: str, kubectl: Kubectl) -> None:
    assert f"down --name {name}" in devcluster("up", "--name", name)
    kubeconfig = Path(devcluster("kubeconfig", "--name", name).strip())
    assert "default" in kubectl(kubeconfig, "get", "namespaces")
    assert devcluster("status", "--name", name).count("running, pid") == 4
    processes = launched(name)
    devcluster("up", "--name", name)
    assert launched(name) == processes
    kill_scheduler(name)
    said = devcluster("status", "--name", name, expect=3)
    assert f"kube-scheduler           ended, see {named_directory(name)}" in said
    assert said.count("running, pid") == 3
    devcluster("down", "--name", name)
    assert len(processes) == 5
    assert not still_running(processes, timeout=0)
    assert not list(clusters_directory().glob(f"{name}*"))
    assert "not running" in devcluster("status", "--name", name, expect=3)
    assert "was not running" in devcluster("down", "--name", name)
    assert "Start it with" in devcluster("kubeconfig", "--name", name, expect=1)


def test_prepare_prints_the_location_of_each_program() -> None:
    said = dict(line.split(maxsplit=1) for line in devcluster("prepare").splitlines() if not line.startswith("control"))
    assert {name: os.access(path, os.X_OK) for name, path in said.items()} == {"kubectl": True, "tofu": True}


def test_a_killed_supervisor_takes_its_components_along_and_up_starts_anew(name: str) -> None:
    devcluster("up", "--name", name)
    processes = launched(name)
    os.kill(processes[0].pid, signal.SIGKILL)
    assert not still_running(processes, timeout=60)
    assert "not running" in devcluster("status", "--name", name, expect=3)
    devcluster("up", "--name", name)
    assert len(launched(name)) == 5


def test_a_named_kubeconfig_is_used_and_left_alone(cluster: ControlPlane, kubectl: Kubectl, name: str) -> None:
    options = (f"--kubeconfig={cluster.kubeconfig}", f"--name={name}")
    assert "it answers, version v1.36.3" in devcluster("up", *options)
    assert not named_directory(name).exists()
    assert devcluster("kubeconfig", *options).strip() == str(cluster.kubeconfig)
    assert "answers" in devcluster("status", *options)
    assert "left alone" in devcluster("down", *options)
    assert "default" in kubectl(cluster.kubeconfig, "get", "namespaces")


def test_a_kubeconfig_whose_cluster_does_not_answer_is_reported(cluster: ControlPlane) -> None:
    cluster.stop_api_server(kill=True)
    try:
        assert "does not answer" in devcluster("up", f"--kubeconfig={cluster.kubeconfig}", expect=1)
    finally:
        cluster.start_api_server()

"""A cluster with a node leaves nothing, neither when it is stopped nor when its launcher is killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import psutil
import pytest

from e2e.pods import a_pod
from e2e.traces import WRITTEN, Traces, kernel_settings
from provisioner_devcluster import NodeCluster
from provisioner_devcluster.clusters import sweep
from provisioner_devcluster.process.process import Identity, still_running
from support.cluster.kubectl import Kubectl

ENDED_WITHIN = 60.0
"""Timeout in seconds; the kernel ends everything at once, but a busy machine needs longer."""

POLL = 0.1
T = TypeVar("T")

# Starts a cluster with a node, prints its traces, and waits to be killed.
LAUNCHER = """
import dataclasses, json, sys
from pathlib import Path
from e2e.traces import Traces
from provisioner_devcluster import NodeCluster
cluster = NodeCluster.start()
[image] = cluster.import_image(Path(sys.argv[1]))
print(json.dumps([str(cluster.kubeconfig), image, dataclasses.asdict(Traces.of(cluster))]), flush=True)
sys.stdin.read()
"""


IN_A_NODE = {"pause", "containerd", "containerd-shim-runc-v2", "node", "probe"}
"""Programs of a node that runs a Pod; kubelet and kube-proxy are one program."""


def run_a_pod(admin: Kubectl, image: str) -> None:
    admin.create(a_pod("server", image, "serve", "hello"))
    admin.wait("pod", "server", "condition=Ready")


def the_processes_of(traces: Traces) -> list[psutil.Process]:
    processes = traces.processes()
    assert {name for process in processes if (name := _of(process, psutil.Process.name))} >= IN_A_NODE
    return processes


def _of(process: psutil.Process, what: Callable[[psutil.Process], T]) -> T | None:
    """Return the process's program; None if it has ended meanwhile."""
    with suppress(psutil.NoSuchProcess):
        return what(process)
    return None


def test_a_node_writes_only_to_its_own_directories(own_cluster: NodeCluster, probe_image: str, admin: Kubectl) -> None:
    run_a_pod(admin, probe_image)
    inside = Path(f"/proc/{own_cluster.sandbox.pid}/root")
    shared = [place for place in WRITTEN if Path(place).exists() and Path(place).samefile(inside / place[1:])]
    assert not shared
    assert [place for place in WRITTEN if (inside / place[1:]).exists()] == WRITTEN


@pytest.mark.usefixtures("own_cluster")
def test_a_second_cluster_runs_beside_the_first_and_leaves_nothing_when_it_stops(probe_archive: Path) -> None:
    before = kernel_settings()
    with NodeCluster.start() as cluster:
        [image] = cluster.import_image(probe_archive)
        run_a_pod(Kubectl(cluster.kubeconfig, "default"), image)
        traces = Traces.of(cluster)
        processes = the_processes_of(traces)
        assert traces.network()
        assert len(traces.files()) > len(traces.directories)
        assert not traces.mounts()
        assert kernel_settings() == before
    assert not [process for process in processes if process.is_running()]
    assert not traces.network()
    assert not traces.files()
    assert kernel_settings() == before


@pytest.mark.usefixtures("own_cluster")
def test_everything_ends_with_a_killed_launcher_and_the_next_start_sweeps_its_files(probe_archive: Path) -> None:
    before = kernel_settings()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-c", LAUNCHER, str(probe_archive)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as launcher:
        assert launcher.stdout
        kubeconfig, image, where = json.loads(launcher.stdout.readline())
        traces = Traces(**where | {"directories": tuple(where["directories"])})
        try:
            run_a_pod(Kubectl(Path(kubeconfig), "default"), image)
            # The nsenter processes on this machine end with their programs in the node.
            started = {*the_processes_of(traces), *psutil.Process(launcher.pid).children(recursive=True)}
            found = [_of(process, lambda process: Identity.of(process.pid)) for process in started]
            identities = [identity for identity in found if identity is not None]
        finally:
            launcher.send_signal(signal.SIGKILL)
    assert not still_running(identities, timeout=ENDED_WITHIN)
    deadline = time.monotonic() + ENDED_WITHIN
    # The kernel removes interfaces a moment after the last process of their namespace.
    while traces.network() and time.monotonic() < deadline:
        time.sleep(POLL)
    assert not traces.network()
    sweep()
    assert not traces.files()
    assert kernel_settings() == before

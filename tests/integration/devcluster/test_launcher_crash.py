"""No component outlives its launcher, however that dies: neither our own components nor those without a lifeline."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from provisioner_devcluster.control_plane.binaries import Component, find_binaries
from provisioner_devcluster.process.process import Identity, still_running

if TYPE_CHECKING:
    from pathlib import Path

    import psutil

# Starts a cluster, prints the pids of its processes, and waits to be killed.
LAUNCHER = """
import json, psutil, sys
from provisioner_devcluster import ControlPlane
from provisioner_devcluster.process.record import Record
plane = ControlPlane.start()
processes = psutil.Process().children(recursive=True)
print(json.dumps([Record.read(plane.directory).source, [process.pid for process in processes]]), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def environment() -> dict[str, str]:
    paths = os.pathsep.join(path for path in sys.path if path)
    return {**{key: value for key, value in os.environ.items() if key != "KUBEBUILDER_ASSETS"}, "PYTHONPATH": paths}


@pytest.fixture
def assets(tmp_path: Path) -> Path:
    """Return a directory like KUBEBUILDER_ASSETS, with programs that do not watch a lifeline."""
    for component in Component:
        program = tmp_path / component
        program.write_text(f'#!/bin/sh\nexec {find_binaries().commands[component][0]} {component} "$@"\n')
        program.chmod(0o755)
    return tmp_path


def crash(environment: dict[str, str]) -> tuple[str, list[Identity], list[psutil.Process]]:
    """Kill a launcher; return the origin of its programs, the pids that it started, and those that still run."""
    command = [sys.executable, "-c", LAUNCHER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as launcher:
        assert launcher.stdout
        source, pids = json.loads(launcher.stdout.readline())
        started = [Identity.of(pid) for pid in pids]
        launcher.send_signal(signal.SIGKILL)
    return source, started, still_running(started, timeout=60)


def test_our_own_components_end_with_a_killed_launcher(environment: dict[str, str]) -> None:
    _, started, alive = crash(environment)
    assert len(started) == 4
    assert not alive


def test_foreign_components_and_their_guards_end_with_a_killed_launcher(
    environment: dict[str, str], assets: Path
) -> None:
    source, started, alive = crash({**environment, "KUBEBUILDER_ASSETS": str(assets)})
    assert str(assets) in source
    assert len(started) == 8
    assert not alive

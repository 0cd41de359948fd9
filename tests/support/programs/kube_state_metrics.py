"""kube-state-metrics as its users run it, where there is one: it cannot be built here, as no module proxy has its module.

`PROVISIONER_KUBE_STATE_METRICS` names the program, else it is looked for on the PATH.
"""

import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from provisioner_devcluster.build.path_binaries import answer, chosen, on_path
from support.state_metrics.evaluation import Sample
from support.state_metrics.fixtures import parsed

PROGRAM_VARIABLE = "PROVISIONER_KUBE_STATE_METRICS"
_WITHIN = 120.0
"""Seconds until it has listed a cluster's objects."""
_ANSWERS_WITHIN = 30.0
_POLL = 0.5


def need_kube_state_metrics() -> Path:
    """Return the path of the program; skip the test without it, also in CI, which cannot have it."""
    if program := chosen(PROGRAM_VARIABLE, "version"):
        return program
    for program in on_path("kube-state-metrics"):
        if answer(program, "version") is not None:
            return program
    pytest.skip(f"there is no kube-state-metrics on the PATH, and {PROGRAM_VARIABLE} names none")


@contextmanager
def a_kube_state_metrics(
    program: Path, kubeconfig: Path, config: Path, log: Path
) -> Iterator[Callable[[int], list[Sample]]]:
    """Run it with this configuration only; call the result for its series, once there are at least so many."""
    port, own = _free_port(), _free_port()
    command = [
        str(program),
        f"--kubeconfig={kubeconfig}",
        f"--custom-resource-state-config-file={config}",
        "--custom-resource-state-only=true",
        "--host=127.0.0.1",
        f"--port={port}",
        "--telemetry-host=127.0.0.1",
        f"--telemetry-port={own}",
    ]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        yield lambda least: _scrape(f"http://127.0.0.1:{port}/metrics", process, log, least)
    finally:
        process.kill()
        process.wait()


def _scrape(url: str, process: "subprocess.Popen[bytes]", log: Path, least: int) -> list[Sample]:
    deadline = time.monotonic() + _WITHIN
    found: list[Sample] = []
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=_ANSWERS_WITHIN) as response:
                found = parsed(response.read().decode())
        except OSError:
            found = []
        if len(found) >= least:
            return found
        time.sleep(_POLL)
    raise AssertionError(f"{len(found)} series of {least}; its log:\n{log.read_text(encoding='utf-8')}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])

"""Time and memory of `provisioner jobs list`, compared with `kubectl get` in the same run.

`python -m bench.cli` starts a control plane of its own and measures with 100 jobs, then with 10,000; the two programs
alternate. The first round of each is discarded, as it warms the disk cache.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.seeds import multiply
from provisioner_devcluster import ControlPlane, find_kubectl
from support.builders.manifests import a_job_manifest
from support.cluster.installation import install
from support.cluster.kubectl import Kubectl

if TYPE_CHECKING:
    from collections.abc import Sequence

FEW, MANY = 100, 10_000
ROUNDS_OF_FEW, ROUNDS_OF_MANY = 11, 3
START_WITHIN_SECONDS, MANY_WITHIN_SECONDS = 0.5, 5.0
"""Limits for the command line."""
_LOOK_SECONDS = 0.005


@dataclass(frozen=True, slots=True)
class Run:
    """Duration, CPU time and peak memory of one process."""

    seconds: float
    cpu: float
    megabytes: float


def run(command: Sequence[str], environment: dict[str, str]) -> Run:
    """Run the command to its end and discard its output."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)
    most = 0.0
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        most = max(most, _memory(process.pid))
        time.sleep(_LOOK_SECONDS)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"bench: {' '.join(command)} ended with exit code {process.returncode}")
    return Run(seconds, usage.ru_utime + usage.ru_stime, most)


def _memory(pid: int) -> float:
    """Return the process's peak memory in MB. Its rusage would include the memory of this process at the fork."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0.0


def measure(commands: dict[str, list[str]], environment: dict[str, str], rounds: int) -> dict[str, Run]:
    """Measure the commands in turns, and return the medians of each."""
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for at in range(rounds + 1):
        for name, command in commands.items():
            found = run(command, environment)
            if at:
                runs[name].append(found)
    return {
        name: Run(
            *(
                statistics.median(values)
                for values in zip(*((r.seconds, r.cpu, r.megabytes) for r in each), strict=True)
            )
        )
        for name, each in runs.items()
    }


def commands(kubeconfig: Path, namespace: str) -> dict[str, list[str]]:
    """Return the commands to compare, by name."""
    provisioner = [sys.executable, "-m", "provisioner_operator.cli", "jobs", "list", "-n", namespace]
    cache = f"--cache-dir={kubeconfig.parent / 'kubectl-cache'}"
    kubectl = [str(find_kubectl()), cache, "get", "pj", "-n", namespace]
    return {
        "kubectl get": kubectl,
        "provisioner jobs list": provisioner,
        "kubectl get -o json": [*kubectl, "-o", "json"],
        "provisioner jobs list -o json": [*provisioner, "-o", "json"],
    }


def fill(plane: ControlPlane, namespace: str, count: int) -> None:
    """Create a namespace with this number of pending jobs."""
    admin = Kubectl(plane.kubeconfig, namespace)
    admin.run("create", "namespace", namespace)
    admin.create(a_job_manifest("job-0", tags={"environment": "on-prem", "datacenter": "chicago"}))
    asyncio.run(multiply(plane, namespace, "job-0", [f"job-{number}" for number in range(1, count)]))


@click.command()
def main() -> None:
    """Measure the command line beside kubectl."""
    with ControlPlane.start() as plane:
        install(Kubectl(plane.kubeconfig), Kubectl(plane.kubeconfig_for("prober")))
        environment = os.environ | {"KUBECONFIG": str(plane.kubeconfig), "PYTHONUTF8": "1"}
        for count, rounds, limit in (
            (FEW, ROUNDS_OF_FEW, START_WITHIN_SECONDS),
            (MANY, ROUNDS_OF_MANY, MANY_WITHIN_SECONDS),
        ):
            namespace = f"jobs-{count}"
            fill(plane, namespace, count)
            found = measure(commands(plane.kubeconfig, namespace), environment, rounds)
            click.echo(f"{count} jobs, medians of {rounds} rounds; asked for: under {limit:g} s")
            for name, each in found.items():
                click.echo(f"  {name:<30} {each.seconds:6.2f} s  {each.cpu:6.2f} s CPU  {each.megabytes:5.0f} MB")
            ratio = found["provisioner jobs list"].seconds / found["kubectl get"].seconds
            click.echo(f"  provisioner/kubectl, tables: {ratio:.1f}")


if __name__ == "__main__":
    main()

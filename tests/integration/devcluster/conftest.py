"""Fixtures of these tests: one cluster for all tests that only read, and kubectl."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Protocol

import pytest

from provisioner_devcluster import ControlPlane, find_kubectl

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Kubectl(Protocol):
    def __call__(self, kubeconfig: Path, *arguments: str) -> str: ...


@pytest.fixture(scope="session")
def kubectl() -> Kubectl:
    """Return a function that runs kubectl with a kubeconfig; a failure shows the output of kubectl."""
    program = find_kubectl()

    def run(kubeconfig: Path, *arguments: str) -> str:
        cache = kubeconfig.with_name("kubectl-cache")
        command = [str(program), f"--kubeconfig={kubeconfig}", f"--cache-dir={cache}", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="session")
def cluster() -> Iterator[ControlPlane]:
    with ControlPlane.start(tokens=("tessa",)) as plane:
        yield plane

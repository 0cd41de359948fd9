"""Checkouts of the product, this one or an older one: the code of each installs it and runs its programs.

So an older one needs to know nothing of today's. Its programs are started as users start them: one that is forked from a process with
the modules of this checkout would be of this version, whatever its path says, and would have the memory of all programs.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.client import BenchError
from bench.peers.process import environment_with
from support.manifests import REPOSITORY
from support.programs.programs import OperatorProgram

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_ROOTS = ("", "tests", "operator", "devcluster")
_INSTALLATION = """
import pathlib, sys
from support.cluster.installation import install
from support.cluster.kubectl import Kubectl
install(*(Kubectl(pathlib.Path(path)) for path in sys.argv[1:]))
"""


@dataclass(frozen=True, slots=True)
class Checkout:
    """One version of the product, with its definitions, policies, tests and bench."""

    repository: Path = REPOSITORY

    @property
    def path(self) -> dict[str, str]:
        """The variable that puts its modules first."""
        return {"PYTHONPATH": os.pathsep.join(str(self.repository / root) for root in _ROOTS)}

    def install(self, admin: Path, prober: Path) -> None:
        """Install its definitions, roles and policies with the kubeconfig of an administrator, and wait until they take effect."""
        command = [sys.executable, "-c", _INSTALLATION, str(admin), str(prober)]
        done = subprocess.run(
            command, cwd=self.repository, env=environment_with(self.path), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise BenchError(f"The version in {self.repository} cannot be installed:\n{done.stdout}{done.stderr}")

    def controller(self, arguments: Sequence[str]) -> OperatorProgram:
        """Start its controller."""
        return OperatorProgram("operator", "provisioner_operator.controller", arguments, self.path, self._start)

    def _start(
        self, module: str, arguments: Sequence[str], environment: Mapping[str, str], log: Path
    ) -> subprocess.Popen[bytes]:
        with log.open("ab") as output:
            return subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                cwd=self.repository,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

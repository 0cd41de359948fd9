"""Programs of the operating system that a node is made of, and installing those that are missing where that is possible.

Called by the lookup of a node's programs. Programs count and not packages: a machine that has them from elsewhere keeps
them. Knows Debian's names of packages, and no more of Kubernetes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from provisioner_devcluster.errors import DevClusterError
from provisioner_devcluster.node.namespaces import PATH
from provisioner_devcluster.progress import Progress, say

# Some 60 MB on a slow line.
INSTALL_TIMEOUT = 900

# Debian's place for the plugins of Pod networks, and everybody else's.
PLUGIN_DIRECTORIES = ("/usr/lib/cni", "/opt/cni/bin")


@dataclass(frozen=True, slots=True)
class Program:
    """A program of the operating system."""

    name: str
    package: str
    """Debian's package that carries it."""
    directories: tuple[str, ...] = tuple(PATH.split(":"))

    def find(self) -> Path | None:
        """Return where it is, if it is there."""
        found = shutil.which(self.name, path=":".join(self.directories))
        return Path(found) if found else None


def plugin(name: str) -> Program:
    """Return a plugin of Pod networks."""
    return Program(name, "containernetworking-plugins", PLUGIN_DIRECTORIES)


def install_missing(programs: tuple[Program, ...]) -> None:
    """Install the packages of programs that are not there, or raise an error that says which and what to do."""
    packages = _missing(programs)
    if not packages:
        return
    apt = shutil.which("apt-get", path=PATH)
    if apt is None or os.geteuid() != 0:
        raise DevClusterError(f"{_lacking(programs)}; they are Debian's packages {' '.join(packages)}: install them.")
    progress = Progress(f"installing {', '.join(packages)}")
    say(f"installing with apt-get, once: {', '.join(packages)}")
    install = [apt, "install", "--yes", "--no-install-recommends", *packages]
    failure = _run(install)
    if failure is not None:
        # The usual case on a fresh machine: its lists of packages are old, or it has none.
        failure = _run([apt, "update"]) or _run(install)
    if failure is not None or _missing(programs):
        raise DevClusterError(
            f"{_lacking(programs)}, and installing {' '.join(packages)} with apt-get failed: {failure or 'no error'}",
        )
    progress.done("packages installed")


def _missing(programs: tuple[Program, ...]) -> list[str]:
    return sorted({program.package for program in programs if program.find() is None})


def _lacking(programs: tuple[Program, ...]) -> str:
    return f"This machine lacks {', '.join(program.name for program in programs if program.find() is None)}"


def _run(command: list[str]) -> str | None:
    """Run apt-get and return what went wrong, or nothing."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "PATH": PATH}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=INSTALL_TIMEOUT, env=environment
    )
    return None if done.returncode == 0 else (done.stderr.strip() or done.stdout.strip())

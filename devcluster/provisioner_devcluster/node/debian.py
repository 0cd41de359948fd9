"""Programs that a node needs from the operating system, and installation of the missing ones on Debian.

Called by the lookup of a node's programs. Looks for programs, not packages: a machine that has them from elsewhere needs
no installation. Knows the names of Debian packages, and nothing of Kubernetes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from provisioner_devcluster.errors import DevClusterError
from provisioner_devcluster.locations import cache_directory
from provisioner_devcluster.node.namespaces import PATH
from provisioner_devcluster.progress import Progress, say

# Some 60 MB on a slow line.
INSTALL_TIMEOUT = 900
# Less, so that it is apt-get that says who holds its lock.
_LOCK_TIMEOUT = 600

# The directories of CNI plugins: Debian's, and the one that other distributions use.
PLUGIN_DIRECTORIES = ("/usr/lib/cni", "/opt/cni/bin")


@dataclass(frozen=True, slots=True)
class Program:
    """A program of the operating system."""

    name: str
    package: str
    """Debian's package that carries it."""
    directories: tuple[str, ...] = tuple(PATH.split(":"))

    def find(self) -> Path | None:
        """Return the program's path, or None if it is missing."""
        found = shutil.which(self.name, path=":".join(self.directories))
        return Path(found) if found else None


def plugin(name: str) -> Program:
    """Return a CNI plugin."""
    return Program(name, "containernetworking-plugins", PLUGIN_DIRECTORIES)


def install_missing(programs: tuple[Program, ...]) -> None:
    """Install the packages of missing programs, or raise an error that says what to install."""
    packages = _missing(programs)
    if not packages:
        return
    apt = shutil.which("apt-get", path=PATH)
    if apt is None or os.geteuid() != 0:
        raise DevClusterError(f"{_lacking(programs)}; the Debian packages are {' '.join(packages)}: install them.")
    # Another process, such as another worker of a run of tests, may be installing at the same time.
    with FileLock(cache_directory() / "packages.lock"):
        if packages := _missing(programs):
            _install(apt, programs, packages)


def _install(apt: str, programs: tuple[Program, ...], packages: list[str]) -> None:
    progress = Progress(f"installing {', '.join(packages)}")
    say(f"installing with apt-get, once: {', '.join(packages)}")
    # The lock of the system, which other programs than this one take.
    options = ["--yes", "--no-install-recommends", f"--option=DPkg::Lock::Timeout={_LOCK_TIMEOUT}"]
    install = [apt, "install", *options, *packages]
    failure = _run(install)
    if failure is not None:
        # A fresh machine usually has outdated package lists, or none.
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
    """Run apt-get and return its error message, or None if it succeeded."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "PATH": PATH}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=INSTALL_TIMEOUT, env=environment
        )
    except subprocess.TimeoutExpired:
        return f"it did not end within {INSTALL_TIMEOUT} s"
    return None if done.returncode == 0 else (done.stderr.strip() or done.stdout.strip())

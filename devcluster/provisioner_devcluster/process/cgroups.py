"""Cgroup for all processes of a node, and removal of those whose launcher died.

Called by the sandbox, and for the cleanup by every claim of a cluster's directory. The kernel keeps cgroups until they are
removed, so the name contains the launcher's identity: a cgroup whose launcher no longer runs is abandoned. Knows both
versions of cgroups, and nothing of Kubernetes.
"""

from __future__ import annotations

import itertools
import os
import re
import time
from pathlib import Path

from provisioner_devcluster.errors import DevClusterError
from provisioner_devcluster.process.process import Identity

ROOT = Path("/sys/fs/cgroup")

NAME = re.compile(r"provisioner-devcluster-(?P<pid>\d+)-(?P<created>\d+)-\d+")

# Controllers that kubelet requires on version 2.
CONTROLLERS = ("cpu", "cpuset", "memory", "pids")

# A cgroup stays busy for a moment after its last process was killed.
REMOVE_TIMEOUT = 10.0
POLL = 0.02

# One launcher may have several cgroups.
_numbers = itertools.count(1)


class Cgroup:
    """A cgroup owned by this process, in every hierarchy of this machine."""

    def __init__(self, root: Path = ROOT) -> None:
        owner = Identity.of(os.getpid())
        self._root = root
        self.name = f"provisioner-devcluster-{owner.pid}-{int(owner.created)}-{next(_numbers)}"
        """Path of the cgroup below the root of each hierarchy."""
        try:
            for hierarchy in _hierarchies(root):
                (hierarchy / self.name).mkdir()
                _inherit(hierarchy, self.name)
        except OSError as error:
            self.remove()
            raise DevClusterError(
                f"Creating a cgroup failed: {error}. A node needs {root} writable, with the controllers "
                f"{', '.join(CONTROLLERS)}: run as root, in a container with a cgroup namespace of its own or privileged.",
            ) from error

    def remove(self) -> None:
        """Remove the cgroup and all below it, which must hold no process; a second call does nothing."""
        _remove(self._root, self.name)


def sweep(root: Path = ROOT) -> None:
    """Remove the cgroups of dead launchers, whose processes have already ended."""
    names = {entry.name for hierarchy in _hierarchies(root) for entry in hierarchy.iterdir()}
    for name in names:
        match = NAME.fullmatch(name)
        if match and Identity(int(match["pid"]), int(match["created"])).find() is None:
            _remove(root, name)


def _hierarchies(root: Path) -> list[Path]:
    """Return the root directories of cgroups: one on version 2, one per controller on version 1."""
    if (root / "cgroup.controllers").exists():
        return [root]
    if not root.is_dir():
        return []
    # `cpu,cpuacct` is mounted once, with a symbolic link for each of its parts.
    return [entry for entry in sorted(root.iterdir()) if entry.is_dir() and not entry.is_symlink()]


def _inherit(hierarchy: Path, name: str) -> None:
    """Copy settings from the parent where the kernel does not inherit them."""
    if (hierarchy / "cgroup.subtree_control").exists() and (hierarchy / "cgroup.controllers").exists():
        offered = (hierarchy / "cgroup.controllers").read_text(encoding="utf-8").split()
        wanted = " ".join(f"+{controller}" for controller in CONTROLLERS if controller in offered)
        if wanted:
            (hierarchy / "cgroup.subtree_control").write_text(wanted, encoding="utf-8")
    for file in ("cpuset.cpus", "cpuset.mems"):
        # On version 1 a new cpuset is empty, and accepts no process until it is filled.
        if (hierarchy / "cgroup.clone_children").exists() and (hierarchy / file).exists():
            (hierarchy / name / file).write_text((hierarchy / file).read_text(encoding="utf-8"), encoding="utf-8")


def _remove(root: Path, name: str) -> None:
    deadline = time.monotonic() + REMOVE_TIMEOUT
    for hierarchy in _hierarchies(root):
        top = hierarchy / name
        # The innermost first; the kernel removes the files in each directory.
        directories = [Path(path) for path, _, _ in os.walk(top, topdown=False)]
        for directory in directories:
            _remove_one(directory, deadline)


def _remove_one(directory: Path, deadline: float) -> None:
    while True:
        try:
            directory.rmdir()
        except (FileNotFoundError, PermissionError):
            # Another process has removed it, or owns it.
            return
        except OSError:
            if time.monotonic() > deadline:
                # Left to the next sweep; it holds no process of ours.
                return
            time.sleep(POLL)
        else:
            return

"""The cgroup under which everything of a node runs: made, removed, and swept after a launcher that died.

Called by the machine of a node, and to sweep by whoever claims a cluster's directory. The kernel keeps cgroups until they are removed, so the name says whose it is: a cgroup
whose launcher no longer runs is nobody's. Knows both versions of cgroups, and nothing of Kubernetes.
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

# What kubelet wants on version 2.
CONTROLLERS = ("cpu", "cpuset", "memory", "pids")

# A cgroup whose last process was just killed is busy for a moment.
REMOVE_TIMEOUT = 10.0
POLL = 0.02

# One launcher may have several.
_numbers = itertools.count(1)


class Cgroup:
    """A cgroup of this process's own, in every hierarchy of this machine."""

    def __init__(self, root: Path = ROOT) -> None:
        owner = Identity.of(os.getpid())
        self._root = root
        self.name = f"provisioner-devcluster-{owner.pid}-{int(owner.created)}-{next(_numbers)}"
        """Its path below the root of each hierarchy."""
        try:
            for hierarchy in _hierarchies(root):
                (hierarchy / self.name).mkdir()
                _inherit(hierarchy, self.name)
        except OSError as error:
            self.remove()
            raise DevClusterError(
                f"Making a cgroup failed: {error}. A node needs {root} writable, with the controllers "
                f"{', '.join(CONTROLLERS)}: run as root, in a container with a cgroup namespace of its own or privileged.",
            ) from error

    def remove(self) -> None:
        """Remove the cgroup and all below it, which no process may be in any more; harmless when done twice."""
        _remove(self._root, self.name)


def sweep(root: Path = ROOT) -> None:
    """Remove the cgroups of launchers that died; what ran in them is gone already."""
    names = {entry.name for hierarchy in _hierarchies(root) for entry in hierarchy.iterdir()}
    for name in names:
        match = NAME.fullmatch(name)
        if match and Identity(int(match["pid"]), int(match["created"])).find() is None:
            _remove(root, name)


def _hierarchies(root: Path) -> list[Path]:
    """Return where cgroups are made: one place on version 2, one per controller on version 1."""
    if (root / "cgroup.controllers").exists():
        return [root]
    if not root.is_dir():
        return []
    # Names such as `cpu,cpuacct` are mounted once, and linked to by each of their parts.
    return [entry for entry in sorted(root.iterdir()) if entry.is_dir() and not entry.is_symlink()]


def _inherit(hierarchy: Path, name: str) -> None:
    """Give a new cgroup what its parent has, where the kernel does not do that by itself."""
    if (hierarchy / "cgroup.subtree_control").exists() and (hierarchy / "cgroup.controllers").exists():
        offered = (hierarchy / "cgroup.controllers").read_text(encoding="utf-8").split()
        wanted = " ".join(f"+{controller}" for controller in CONTROLLERS if controller in offered)
        if wanted:
            (hierarchy / "cgroup.subtree_control").write_text(wanted, encoding="utf-8")
    for file in ("cpuset.cpus", "cpuset.mems"):
        # On version 1 a cpuset begins empty, and takes no process until it is filled.
        if (hierarchy / "cgroup.clone_children").exists() and (hierarchy / file).exists():
            (hierarchy / name / file).write_text((hierarchy / file).read_text(encoding="utf-8"), encoding="utf-8")


def _remove(root: Path, name: str) -> None:
    deadline = time.monotonic() + REMOVE_TIMEOUT
    for hierarchy in _hierarchies(root):
        top = hierarchy / name
        # The inner ones first; the files in them are the kernel's and go with their directory.
        directories = [Path(path) for path, _, _ in os.walk(top, topdown=False)]
        for directory in directories:
            _remove_one(directory, deadline)


def _remove_one(directory: Path, deadline: float) -> None:
    while True:
        try:
            directory.rmdir()
        except (FileNotFoundError, PermissionError):
            # Somebody else removed it, or it is somebody else's to remove.
            return
        except OSError:
            if time.monotonic() > deadline:
                # Left to the next sweep; nothing runs in it that a launcher of ours could still end.
                return
            time.sleep(POLL)
        else:
            return

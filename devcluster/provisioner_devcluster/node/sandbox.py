"""Sandbox of a node on this host: namespaces, mounts, a network and a cgroup of its own.

Called by the cluster with a node. Programs in the sandbox find the usual directories in the usual places, empty and
private; they share the host's programs and kernel, and change neither. Knows nothing of Kubernetes.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

from provisioner_devcluster.clusters import claim, remove
from provisioner_devcluster.errors import DevClusterError
from provisioner_devcluster.node.namespaces import Namespaces
from provisioner_devcluster.node.network import Link
from provisioner_devcluster.process.cgroups import Cgroup

if TYPE_CHECKING:
    from typing import IO

    from provisioner_devcluster.node.addresses import NodeAddresses
    from provisioner_devcluster.node.binaries import NodePrograms
    from provisioner_devcluster.node.namespaces import InnerProcess

# Mount point of the sandbox's directory inside it; short, because socket paths are limited to some hundred characters.
INSIDE = "/run/node"

# Directories to which a node's programs write whatever their settings; each is covered by one of the sandbox's own.
PRIVATE = {"lib": "/var/lib", "log": "/var/log"}

# Kernel settings that kubelet would change unless they have these values; files with these values cover the host's.
KERNEL_SETTINGS = {
    "vm/overcommit_memory": 1,
    "vm/panic_on_oom": 0,
    "kernel/panic": 10,
    "kernel/panic_on_oops": 1,
    "kernel/keys/root_maxkeys": 1_000_000,
    "kernel/keys/root_maxbytes": 25_000_000,
}


class Sandbox:
    """A sandbox on this host, until it is ended or its launcher dies."""

    def __init__(self, programs: NodePrograms) -> None:
        with ExitStack() as undo:
            self.directory = claim(None)
            """Files and logs of the sandbox, removed at its end."""
            undo.callback(remove, self.directory)
            lifeline, held_end = os.pipe()
            undo.callback(os.close, held_end)
            undo.callback(os.close, lifeline)
            self._lifeline = lifeline
            self._files = self.directory / "run" / "node"
            self._files.mkdir(parents=True)
            self._cgroup = Cgroup()
            undo.callback(self._cgroup.remove)
            log = self.directory / "namespaces.log"
            self._namespaces = Namespaces(programs.pause, log, lifeline_end=lifeline)
            undo.callback(self._namespaces.end)
            self._mount(programs.node)
            self.snapshotter = self._snapshotter()
            """The containerd plugin that combines the layers of images on this file system."""
            self._link = Link(str(programs.ip), self._namespaces)
            undo.callback(self._link.remove)
            self._undo = undo.pop_all()

    @property
    def addresses(self) -> NodeAddresses:
        """Network addresses of the node."""
        return self._link.addresses

    @property
    def interface(self) -> str:
        """Name of the host's end of the link to the node."""
        return self._link.interface

    @property
    def pid(self) -> int:
        """Pid of the first process, as seen on the host."""
        return self._namespaces.pid

    @property
    def cgroup(self) -> str:
        """Path of the sandbox's cgroup below the root of each hierarchy."""
        return self._cgroup.name

    @property
    def node_program(self) -> str:
        """Path of the executable for kubelet and kube-proxy, inside the sandbox."""
        return f"{INSIDE}/node"

    def place(self, name: str, content: str | bytes) -> str:
        """Write a file that only its owner can read, and return its path inside the sandbox."""
        file = self._files / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return f"{INSIDE}/{name}"

    def run(self, *program: str, given: IO[bytes] | None = None) -> str:
        """Run a program in the sandbox to its end, and return its output."""
        return self._namespaces.run(*program, given=given)

    def start(self, name: str, *program: str) -> InnerProcess:
        """Start a long-running program in the sandbox; its output goes to NAME.log."""
        log = self.directory / f"{name}.log"
        return self._namespaces.start(name, *program, log=log, lifeline_end=self._lifeline)

    def end(self) -> None:
        """End all processes in the sandbox and remove its files; a second call does nothing."""
        self._undo.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def _mount(self, node: Path) -> None:
        run = self._namespaces.run
        for name in (*PRIVATE, "scratch"):
            (self._files / name).mkdir()
        (self._files / "node").touch()
        # First make the program and the sandbox's files visible under /run: the next mounts may cover their directories.
        run("mount", "--bind", str(node), str(self._files / "node"))
        run("mount", "--rbind", str(self._files.parent), "/run")
        for name, covered in PRIVATE.items():
            run("mount", "--bind", f"{INSIDE}/{name}", covered)
        run("mount", "-t", "proc", "proc", "/proc")
        for name, value in KERNEL_SETTINGS.items():
            if Path("/proc/sys", name).exists():
                run("mount", "--bind", self.place(f"kernel/{name}", f"{value}\n"), f"/proc/sys/{name}")
        # kubelet and containers share mounts with each other, as on any node, but not with the host.
        run("mount", "--make-rshared", "/")
        self._namespaces.set_environment({"TMPDIR": f"{INSIDE}/scratch"})

    def _snapshotter(self) -> str:
        """Return overlayfs if the file system for images supports it, else the slower copying of layers."""
        probe = f"{INSIDE}/scratch/overlay"
        options = f"lowerdir={probe}/lower,upperdir={probe}/upper,workdir={probe}/work"
        self.run("mkdir", "-p", *(f"{probe}/{part}" for part in ("lower", "upper", "work", "whole")))
        try:
            self.run("mount", "-t", "overlay", "overlay", "-o", options, f"{probe}/whole")
            self.run("umount", f"{probe}/whole")
        except DevClusterError:
            return "native"
        return "overlayfs"

"""What a machine is to a node, made out of this one: namespaces, mounts, a network and a cgroup of its own.

Called by the cluster with a node. Programs in there find the usual directories at the usual places, empty and theirs
alone; of this machine they see the programs and the kernel, and change neither. Knows no Kubernetes.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

from provisioner_devcluster.clusters import claim, remove
from provisioner_devcluster.errors import DevClusterError
from provisioner_devcluster.node.namespaces import Namespaces
from provisioner_devcluster.node.network import Cable
from provisioner_devcluster.process.cgroups import Cgroup

if TYPE_CHECKING:
    from typing import IO

    from provisioner_devcluster.node.addresses import NodeAddresses
    from provisioner_devcluster.node.binaries import NodePrograms
    from provisioner_devcluster.node.namespaces import InnerProcess

# Where the machine's own directory is seen inside; short, as the paths of sockets are limited to some hundred characters.
INSIDE = "/run/node"

# What a node writes to, whatever it is told: all of it lies in the machine's own directory.
PRIVATE = {"lib": "/var/lib", "log": "/var/log"}

# What kubelet makes of the kernel it runs on; it leaves alone what is so already. Here it only seems so.
KERNEL_SETTINGS = {
    "vm/overcommit_memory": 1,
    "vm/panic_on_oom": 0,
    "kernel/panic": 10,
    "kernel/panic_on_oops": 1,
    "kernel/keys/root_maxkeys": 1_000_000,
    "kernel/keys/root_maxbytes": 25_000_000,
}


class Machine:
    """A machine inside this one, until it ends or its launcher does."""

    def __init__(self, programs: NodePrograms) -> None:
        with ExitStack() as undo:
            self.directory = claim(None)
            """Its files and logs, until it ends."""
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
            """How containerd can put the layers of images together here."""
            self._cable = Cable(str(programs.ip), self._namespaces)
            undo.callback(self._cable.remove)
            self._undo = undo.pop_all()

    @property
    def addresses(self) -> NodeAddresses:
        """Where it is."""
        return self._cable.addresses

    @property
    def interface(self) -> str:
        """This machine's end of the cable to it."""
        return self._cable.interface

    @property
    def pid(self) -> int:
        """Its first process, as this machine counts."""
        return self._namespaces.pid

    @property
    def cgroup(self) -> str:
        """The cgroup for what runs in it, below the root of each hierarchy."""
        return self._cgroup.name

    @property
    def node_program(self) -> str:
        """The program of kubelet and kube-proxy, as it is seen inside."""
        return f"{INSIDE}/node"

    def place(self, name: str, content: str | bytes) -> str:
        """Write a file into the machine, readable by its owner alone, and return its path inside."""
        file = self._files / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return f"{INSIDE}/{name}"

    def run(self, *program: str, given: IO[bytes] | None = None) -> str:
        """Run a program in the machine to its end, and return what it printed."""
        return self._namespaces.run(*program, given=given)

    def start(self, name: str, *program: str) -> InnerProcess:
        """Start a program in the machine that stays; its output goes to a log of its name."""
        log = self.directory / f"{name}.log"
        return self._namespaces.start(name, *program, log=log, lifeline_end=self._lifeline)

    def end(self) -> None:
        """End everything in the machine, and leave nothing of it; harmless when done twice."""
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
        # The directories that are covered next may be those in which the program and this cluster's files lie.
        run("mount", "--bind", str(node), str(self._files / "node"))
        run("mount", "--rbind", str(self._files.parent), "/run")
        for name, covered in PRIVATE.items():
            run("mount", "--bind", f"{INSIDE}/{name}", covered)
        run("mount", "-t", "proc", "proc", "/proc")
        for name, value in KERNEL_SETTINGS.items():
            if Path("/proc/sys", name).exists():
                run("mount", "--bind", self.place(f"kernel/{name}", f"{value}\n"), f"/proc/sys/{name}")
        # Among each other the containers and kubelet share mounts, as on any machine; with this machine nothing.
        run("mount", "--make-rshared", "/")
        self._namespaces.set_environment({"TMPDIR": f"{INSIDE}/scratch"})

    def _snapshotter(self) -> str:
        """Try whether layers can be laid over each other where the images will be; copying them is the slow alternative."""
        trial = f"{INSIDE}/scratch/overlay"
        options = f"lowerdir={trial}/lower,upperdir={trial}/upper,workdir={trial}/work"
        self.run("mkdir", "-p", *(f"{trial}/{part}" for part in ("lower", "upper", "work", "whole")))
        try:
            self.run("mount", "-t", "overlay", "overlay", "-o", options, f"{trial}/whole")
            self.run("umount", f"{trial}/whole")
        except DevClusterError:
            return "native"
        return "overlayfs"

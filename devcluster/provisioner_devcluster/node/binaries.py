"""Programs of a node: Kubernetes' from our own build, the container runtime's from the operating system.

Called by the cluster with a node, and by the command line so that builds and installations happen before any test begins.
Starts nothing.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provisioner_devcluster.build.go_build import build
from provisioner_devcluster.build.go_modules import NODE, PAUSE
from provisioner_devcluster.errors import DevClusterError
from provisioner_devcluster.node.debian import Program, install_missing, plugin

if TYPE_CHECKING:
    from pathlib import Path

CONTAINERD = Program("containerd", "containerd")
CTR = Program("ctr", "containerd")
IP = Program("ip", "iproute2")
POINT_TO_POINT = plugin("ptp")

NEEDED = (
    CONTAINERD,
    CTR,
    Program("containerd-shim-runc-v2", "containerd"),
    Program("runc", "runc"),
    Program("nft", "nftables"),
    IP,
    Program("mount", "mount"),
    Program("nsenter", "util-linux"),
    Program("setpriv", "util-linux"),
    Program("unshare", "util-linux"),
    POINT_TO_POINT,
    plugin("host-local"),
    plugin("loopback"),
)


class NodeImpossibleError(DevClusterError):
    """Inability of this machine to run a node; the message is one sentence that says why and what would help."""


@dataclass(frozen=True, slots=True)
class NodePrograms:
    """Paths of a node's programs."""

    node: Path
    """One executable for kubelet and kube-proxy."""
    pause: Path
    """The first process of a Pod, and of a node's namespaces."""
    containerd: Path
    ctr: Path
    ip: Path
    plugins: Path
    """The directory of the CNI plugins."""


def find_node_programs() -> NodePrograms:
    """Return the programs of a node, installing and building missing ones; raise an error where no node can run."""
    if sys.platform != "linux":
        raise NodeImpossibleError(f"A node needs Linux, and this is {sys.platform}.")
    if os.geteuid() != 0:
        raise NodeImpossibleError(
            "A node needs root, for namespaces, mounts and cgroups, and this is an ordinary user."
        )
    try:
        install_missing(NEEDED)
    except DevClusterError as error:
        raise NodeImpossibleError(str(error)) from error
    return NodePrograms(
        node=build(NODE),
        pause=build(PAUSE),
        containerd=_found(CONTAINERD),
        ctr=_found(CTR),
        ip=_found(IP),
        plugins=_found(POINT_TO_POINT).parent,
    )


def _found(program: Program) -> Path:
    path = program.find()
    if path is None:
        raise AssertionError(f"{program.name} has disappeared")
    return path

"""A control plane with a real node: containers run here, from the image to the kernel.

Called by end-to-end tests. Linux and root only; where it cannot be, `start` says in one sentence why. Whatever it makes
ends with its launcher: processes, mounts, namespaces and interfaces at once, by the kernel; files and cgroups at the
latest when the next cluster starts.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from provisioner_devcluster.control_plane.binaries import find_binaries
from provisioner_devcluster.control_plane.cluster import ControlPlane
from provisioner_devcluster.control_plane.components import Nodes
from provisioner_devcluster.node.binaries import find_node_programs
from provisioner_devcluster.node.config_files import LEASE_SECONDS
from provisioner_devcluster.node.containerd import Runtime
from provisioner_devcluster.node.node import Node
from provisioner_devcluster.node.sandbox import Machine

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# As long as a kubelet's Lease is valid: four of its renewals have not come.
SILENCE = LEASE_SECONDS


class NodeCluster:
    """A running control plane and its one node."""

    def __init__(self, machine: Machine, plane: ControlPlane, node: Node, runtime: Runtime, undo: ExitStack) -> None:
        self.machine = machine
        """What the node runs in."""
        self.plane = plane
        self.node = node
        self._runtime = runtime
        self._undo = undo
        self.kubeconfig = plane.kubeconfig
        """The administrator's kubeconfig."""

    @classmethod
    def start(cls) -> Self:
        """Start a cluster and return it when its node takes Pods; installs and builds first what is missing."""
        find_binaries()
        programs = find_node_programs()
        with ExitStack() as undo:
            machine = undo.enter_context(Machine(programs))
            runtime = Runtime(machine, programs)
            address = str(machine.addresses.host)
            plane = undo.enter_context(ControlPlane.start(address=address, nodes=Nodes(silence=SILENCE)))
            node = Node(machine, plane)
            return cls(machine, plane, node, runtime, undo.pop_all())

    def kubeconfig_for(self, user: str, groups: Sequence[str] = ()) -> Path:
        """Return a kubeconfig with a client certificate by which the API server knows this user and these groups."""
        return self.plane.kubeconfig_for(user, groups)

    def import_image(self, archive: Path) -> list[str]:
        """Give the node an image from an archive, as docker, buildah or podman save it, and return its names."""
        return self._runtime.import_image(archive)

    def stop(self) -> None:
        """End everything and leave nothing; harmless when done twice."""
        self._undo.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

"""A control plane with a real node, which runs containers.

Called by end-to-end tests. Linux and root only; elsewhere `start` raises an error that says why. Everything ends with the
launcher: the kernel removes processes, mounts, namespaces and interfaces at once; files and cgroups are removed at the
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
from provisioner_devcluster.node.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# As long as a kubelet's Lease is valid, which is four missed renewals.
GRACE_SECONDS = LEASE_SECONDS


class NodeCluster:
    """A running control plane and its one node."""

    def __init__(self, sandbox: Sandbox, plane: ControlPlane, node: Node, runtime: Runtime, undo: ExitStack) -> None:
        self.sandbox = sandbox
        """Namespaces, mounts and network of the node."""
        self.plane = plane
        self.node = node
        self._runtime = runtime
        self._undo = undo
        self.kubeconfig = plane.kubeconfig
        """The administrator's kubeconfig."""

    @classmethod
    def start(cls) -> Self:
        """Start a cluster and return it when its node accepts Pods, after installing and building missing programs."""
        find_binaries()
        programs = find_node_programs()
        with ExitStack() as undo:
            sandbox = undo.enter_context(Sandbox(programs))
            runtime = Runtime(sandbox, programs)
            address = str(sandbox.addresses.host)
            plane = undo.enter_context(ControlPlane.start(address=address, nodes=Nodes(grace_seconds=GRACE_SECONDS)))
            node = Node(sandbox, plane)
            return cls(sandbox, plane, node, runtime, undo.pop_all())

    def kubeconfig_for(self, user: str, groups: Sequence[str] = ()) -> Path:
        """Return a kubeconfig with a client certificate for this user and these groups."""
        return self.plane.kubeconfig_for(user, groups)

    def import_image(self, archive: Path) -> list[str]:
        """Import an image into the node from an archive saved by docker, buildah or podman, and return its names."""
        return self._runtime.import_image(archive)

    def stop(self) -> None:
        """End all processes and remove all files; a second call does nothing."""
        self._undo.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

"""The container runtime of a node: containerd, started and given images.

Called by the cluster with a node. Images are imported from archives, as no registry is needed or asked.
"""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

from provisioner_devcluster.errors import DevClusterError, tail
from provisioner_devcluster.node.config_files import containerd_config, pod_network
from provisioner_devcluster.node.images import write_image
from provisioner_devcluster.process.process import POLL

if TYPE_CHECKING:
    from provisioner_devcluster.node.binaries import NodePrograms
    from provisioner_devcluster.node.sandbox import Machine

# The images that kubelet sees.
NAMESPACE = "k8s.io"

PAUSE_IMAGE = "provisioner.dev/pause:1"

# A start takes half a second.
START_TIMEOUT = 60.0


class Runtime:
    """containerd in a machine."""

    def __init__(self, machine: Machine, programs: NodePrograms) -> None:
        """Start containerd and return when it answers and has the image of a Pod's first process."""
        self._machine = machine
        self._ctr = [str(programs.ctr), f"--namespace={NAMESPACE}"]
        network = Path(machine.place("cni/10-pods.conflist", pod_network(machine.addresses.pods)))
        config = containerd_config(
            snapshotter=machine.snapshotter,
            pause=PAUSE_IMAGE,
            plugins=programs.plugins,
            networks=str(network.parent),
        )
        place = machine.place("containerd.toml", config)
        self.process = machine.start("containerd", str(programs.containerd), f"--config={place}")
        self._await_answer()
        archive = machine.directory / "pause.tar"
        write_image(archive, PAUSE_IMAGE, {"pause": programs.pause}, ["/pause"])
        self.import_image(archive)

    def import_image(self, archive: Path) -> list[str]:
        """Import an image from an archive, as docker, buildah or podman save it, and return its names."""
        with archive.open("rb") as stream:
            command = [*self._ctr, "images", "import", f"--snapshotter={self._machine.snapshotter}", "-"]
            said = self._machine.run(*command, given=stream)
        names = re.findall(r"^unpacking (\S+) ", said, re.MULTILINE)
        if not names:
            raise DevClusterError(f"{archive} was imported, but holds no image with a name; containerd said:\n{said}")
        return names

    def _await_answer(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while True:
            self.process.check()
            try:
                self._machine.run(*self._ctr, "version")
            except DevClusterError as error:
                if time.monotonic() > deadline:
                    log = self.process.log
                    raise DevClusterError(
                        f"containerd does not answer; the last lines of {log}:\n{tail(log)}"
                    ) from error
                time.sleep(POLL)
            else:
                return

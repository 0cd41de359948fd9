"""The container runtime of a node: start containerd and import images.

Called by the cluster with a node. Images come from archives; no registry is ever contacted.
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
    from provisioner_devcluster.node.sandbox import Sandbox

# The containerd namespace in which kubelet looks for images.
NAMESPACE = "k8s.io"

PAUSE_IMAGE = "provisioner.dev/pause:1"

# A start takes half a second.
START_TIMEOUT = 60.0


class Runtime:
    """containerd in a node's sandbox."""

    def __init__(self, sandbox: Sandbox, programs: NodePrograms) -> None:
        """Start containerd, and return when it is ready and has the pause image."""
        self._sandbox = sandbox
        self._ctr = [str(programs.ctr), f"--namespace={NAMESPACE}"]
        network = Path(sandbox.place("cni/10-pods.conflist", pod_network(sandbox.addresses.pods)))
        config = containerd_config(
            snapshotter=sandbox.snapshotter,
            pause=PAUSE_IMAGE,
            plugins=programs.plugins,
            networks=str(network.parent),
        )
        place = sandbox.place("containerd.toml", config)
        self.process = sandbox.start("containerd", str(programs.containerd), f"--config={place}")
        self._await_answer()
        archive = sandbox.directory / "pause.tar"
        write_image(archive, PAUSE_IMAGE, {"pause": programs.pause}, ["/pause"])
        self.import_image(archive)

    def import_image(self, archive: Path) -> list[str]:
        """Import an image from an archive saved by docker, buildah or podman, and return its names."""
        with archive.open("rb") as stream:
            command = [*self._ctr, "images", "import", f"--snapshotter={self._sandbox.snapshotter}", "-"]
            output = self._sandbox.run(*command, given=stream)
        names = re.findall(r"^unpacking (\S+) ", output, re.MULTILINE)
        if not names:
            raise DevClusterError(
                f"{archive} was imported, but it contains no named image; output of containerd:\n{output}"
            )
        return names

    def _await_answer(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while True:
            self.process.check()
            try:
                self._sandbox.run(*self._ctr, "version")
            except DevClusterError as error:
                if time.monotonic() > deadline:
                    log = self.process.log
                    raise DevClusterError(
                        f"containerd does not answer; the last lines of {log}:\n{tail(log)}"
                    ) from error
                time.sleep(POLL)
            else:
                return

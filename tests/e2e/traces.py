"""What a cluster with a node leaves on this machine while it runs, and what of it is still there."""

from dataclasses import dataclass
from pathlib import Path

import psutil

from provisioner_devcluster import NodeCluster

WRITTEN = ["/var/lib/kubelet", "/var/lib/containerd", "/var/lib/cni", "/var/log/pods", "/run/containerd", "/run/netns"]
"""Where the programs of a node write to by themselves."""

SETTINGS = ["vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops"]
"""What kubelet changes of a kernel."""


@dataclass(frozen=True, slots=True)
class Traces:
    """Where to look for what belongs to one cluster."""

    namespace: str
    """The node's, of processes."""
    interface: str
    cgroup: str
    directories: tuple[str, ...]

    @classmethod
    def of(cls, cluster: NodeCluster) -> "Traces":
        """Those of a cluster that runs."""
        sandbox = cluster.sandbox
        return cls(
            namespace=_namespace(sandbox.pid) or "",
            interface=sandbox.interface,
            cgroup=sandbox.cgroup,
            directories=(str(sandbox.directory), str(cluster.plane.directory)),
        )

    def processes(self) -> list[psutil.Process]:
        """The node's processes, those in containers among them."""
        own = {process for process in psutil.process_iter() if _namespace(process.pid) == self.namespace}
        return [*own, *(child for process in own for child in process.children(recursive=True) if child not in own)]

    def network(self) -> list[str]:
        """What this machine has of the node's network."""
        return [self.interface] if self.interface in psutil.net_if_addrs() else []

    def mounts(self) -> list[str]:
        """What this machine sees mounted of the cluster: never anything."""
        mounted = Path("/proc/self/mountinfo").read_text().splitlines()
        return [line for line in mounted if any(directory in line for directory in self.directories)]

    def files(self) -> list[str]:
        """What somebody has to remove: directories and cgroups."""
        cgroups = [str(path) for path in Path("/sys/fs/cgroup").glob(f"**/{self.cgroup}")]
        return [*cgroups, *(path for path in self.directories if Path(path).exists())]


def _namespace(pid: int) -> str | None:
    try:
        return str(Path(f"/proc/{pid}/ns/pid").readlink())
    except OSError:
        # It ended meanwhile.
        return None


def kernel_settings() -> dict[str, str]:
    """What must be the same before and after."""
    return {setting: Path("/proc/sys", setting).read_text() for setting in SETTINGS}

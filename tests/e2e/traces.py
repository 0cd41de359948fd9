"""Traces of a cluster with a node on this machine: processes, network, mounts, files and kernel settings."""

from dataclasses import dataclass
from pathlib import Path

import psutil

from provisioner_devcluster import NodeCluster

WRITTEN = ["/var/lib/kubelet", "/var/lib/containerd", "/var/lib/cni", "/var/log/pods", "/run/containerd", "/run/netns"]
"""Directories to which the programs of a node write by default."""

SETTINGS = ["vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops"]
"""Kernel settings that kubelet changes."""


@dataclass(frozen=True, slots=True)
class Traces:
    """Identifiers of everything that belongs to one cluster."""

    namespace: str
    """The node's PID namespace."""
    interface: str
    cgroup: str
    directories: tuple[str, ...]

    @classmethod
    def of(cls, cluster: NodeCluster) -> "Traces":
        """Return the traces of a running cluster."""
        sandbox = cluster.sandbox
        return cls(
            namespace=_namespace(sandbox.pid) or "",
            interface=sandbox.interface,
            cgroup=sandbox.cgroup,
            directories=(str(sandbox.directory), str(cluster.plane.directory)),
        )

    def processes(self) -> list[psutil.Process]:
        """Return the node's processes, including those in containers."""
        own = {process for process in psutil.process_iter() if _namespace(process.pid) == self.namespace}
        return [*own, *(child for process in own for child in process.children(recursive=True) if child not in own)]

    def network(self) -> list[str]:
        """Return the node's interface and routes on this machine."""
        return [self.interface] if self.interface in psutil.net_if_addrs() else []

    def mounts(self) -> list[str]:
        """Return the cluster's mounts that are visible on this machine, which must be none."""
        mounted = Path("/proc/self/mountinfo").read_text().splitlines()
        return [line for line in mounted if any(directory in line for directory in self.directories)]

    def files(self) -> list[str]:
        """Return the cluster's directories and cgroups, which need an explicit removal."""
        cgroups = [str(path) for path in Path("/sys/fs/cgroup").glob(f"**/{self.cgroup}")]
        return [*cgroups, *(path for path in self.directories if Path(path).exists())]


def _namespace(pid: int) -> str | None:
    try:
        return str(Path(f"/proc/{pid}/ns/pid").readlink())
    except OSError:
        # The process has ended meanwhile.
        return None


def kernel_settings() -> dict[str, str]:
    """Return the kernel settings, which must not change."""
    return {setting: Path("/proc/sys", setting).read_text() for setting in SETTINGS}

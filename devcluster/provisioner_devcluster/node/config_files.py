"""The configuration of each program of a node, as text: one function each, and why each line is there.

Called by the node. Pure: takes paths and addresses as the node's own mounts show them, returns files, starts nothing.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv4Network
    from pathlib import Path

# No Service is named by it, as there is no DNS; kubelet only wants one.
CLUSTER_DOMAIN = "cluster.local"

# kubelet renews its Lease four times in this time. Short, so that a node's silence is soon noticed; long enough for a
# machine that compiles on every core at the same time.
LEASE_SECONDS = 20

CONTAINERD_SOCKET = "/run/containerd/containerd.sock"


def containerd_config(*, snapshotter: str, pause: str, plugins: Path, networks: str) -> str:
    """Return containerd's configuration.

    Args:
        snapshotter: How the layers of an image are put together.
        pause: The image of a Pod's first process.
        plugins: The directory of the plugins of Pod networks.
        networks: The directory of the Pod network's description.
    """
    return f"""\
version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
# None of these file systems is used, and containerd would try each.
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.snapshotter.v1.devmapper",
]

[grpc]
address = "{CONTAINERD_SOCKET}"

# By default it makes a directory of that name at the root of the file system.
[plugins."io.containerd.internal.v1.opt"]
path = "/var/lib/containerd/opt"

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = {json.dumps(pause)}
# Without CAP_SYS_RESOURCE, as in many a virtual machine, nobody may lower the score of a process, and no Pod would start.
restrict_oom_score_adj = true
# It would load a profile into the kernel that nobody unloads.
disable_apparmor = true

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = {json.dumps(str(plugins))}
conf_dir = {json.dumps(networks)}

[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = {json.dumps(snapshotter)}
default_runtime_name = "runc"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
SystemdCgroup = false
"""


def pod_network(pods: IPv4Network) -> str:
    """Return the description of the Pod network.

    Each Pod has a cable of its own to the node, which routes. On a bridge, answers from one Pod to another would pass by
    the translation of service addresses, unless a kernel module is loaded for it.
    """
    plugin = {
        "type": "ptp",
        "ipMasq": False,
        "ipam": {"type": "host-local", "ranges": [[{"subnet": str(pods)}]], "routes": [{"dst": "0.0.0.0/0"}]},
    }
    # The oldest version of the description that every plugin in use today reads.
    return json.dumps({"cniVersion": "0.4.0", "name": "pods", "plugins": [plugin]}, indent=2)


def kubelet_config(*, authority: str, certificate: str, key: str, cgroup: str) -> str:
    """Return kubelet's configuration.

    Args:
        authority: The certificate by which the API server is known.
        certificate: kubelet's own, for logs and exec.
        key: Its key.
        cgroup: The cgroup of all Pods, below the root of each hierarchy.
    """
    return _yaml(
        {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
            "authentication": {"anonymous": {"enabled": False}, "x509": {"clientCAFile": authority}},
            "authorization": {"mode": "Webhook"},
            "tlsCertFile": certificate,
            "tlsPrivateKeyFile": key,
            "cgroupRoot": f"/{cgroup}",
            "cgroupDriver": "cgroupfs",
            # Old machines, and some that are made to be small, have only the first version.
            "failCgroupV1": False,
            "failSwapOn": False,
            # It needs to know the device of kubelet's directory, which not every file system has.
            "localStorageCapacityIsolation": False,
            # There is no DNS: Pods find the API server by their environment, and are refused at once when they ask.
            "clusterDomain": CLUSTER_DOMAIN,
            "resolvConf": "",
            "nodeLeaseDurationSeconds": LEASE_SECONDS,
            "nodeStatusUpdateFrequency": f"{LEASE_SECONDS // 4}s",
            # Somebody else's full disk is no reason to evict.
            "imageGCHighThresholdPercent": 100,
            "evictionHard": {"nodefs.available": "0%", "nodefs.inodesFree": "0%", "imagefs.available": "0%"},
        },
    )


def proxy_config(*, kubeconfig: str, name: str, pods: IPv4Network) -> str:
    """Return kube-proxy's configuration.

    Args:
        kubeconfig: How it reaches the API server.
        name: The node's name.
        pods: Whose traffic keeps its own address.
    """
    return _yaml(
        {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "mode": "nftables",
            "clientConnection": {"kubeconfig": kubeconfig},
            "hostnameOverride": name,
            "clusterCIDR": str(pods),
            "detectLocalMode": "ClusterCIDR",
            # These are the whole machine's, or as good as its own settings; a node that leaves no trace keeps off them.
            "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
        },
    )


def kubelet_arguments(*, config: str, kubeconfig: str, name: str, address: IPv4Address) -> list[str]:
    """Return the flags of kubelet that are no part of its configuration."""
    return [
        f"--config={config}",
        f"--kubeconfig={kubeconfig}",
        f"--hostname-override={name}",
        f"--node-ip={address}",
    ]


def _yaml(document: dict[str, Any]) -> str:
    return yaml.safe_dump(document, sort_keys=False)

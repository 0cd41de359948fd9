"""Configuration files of a node's programs, one function each, with the reason for each line.

Called by the node. Pure: takes paths and addresses as seen inside the node's mounts, and returns text.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv4Network
    from pathlib import Path

# kubelet requires a DNS domain, although this cluster has no DNS.
CLUSTER_DOMAIN = "cluster.local"

# kubelet renews its Lease four times in this time. Short, so that tests soon see a dead node; long enough for a machine
# that compiles on every core.
LEASE_SECONDS = 20

CONTAINERD_SOCKET = "/run/containerd/containerd.sock"


CONTAINERD_CONFIG = """\
version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
# containerd would probe each of these file systems, and none is used.
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.snapshotter.v1.devmapper",
]

[grpc]
address = {socket}

# By default it creates a directory of that name at the root of the file system.
[plugins."io.containerd.internal.v1.opt"]
path = "/var/lib/containerd/opt"

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = {pause}
# Without CAP_SYS_RESOURCE, as in many virtual machines, lowering the score of a process fails, and no Pod would start.
restrict_oom_score_adj = true
# It would load a profile into the host's kernel that nothing unloads.
disable_apparmor = true

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = {plugins}
conf_dir = {networks}

[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = {snapshotter}
default_runtime_name = "runc"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
SystemdCgroup = false
"""


def containerd_config(*, snapshotter: str, pause: str, plugins: Path, networks: str) -> str:
    """Return containerd's configuration.

    Args:
        snapshotter: The containerd plugin that combines the layers of an image.
        pause: The image of a Pod's first process.
        plugins: The directory of the plugins of Pod networks.
        networks: The directory of the Pod network's configuration.
    """
    values = {
        "socket": CONTAINERD_SOCKET,
        "snapshotter": snapshotter,
        "pause": pause,
        "plugins": str(plugins),
        "networks": networks,
    }
    # A TOML string is written like a JSON string.
    return CONTAINERD_CONFIG.format_map({name: json.dumps(value) for name, value in values.items()})


def pod_network(pods: IPv4Network) -> str:
    """Return the CNI configuration of the Pod network.

    Each Pod has a point-to-point link to the node, which routes. On a bridge, traffic between Pods would bypass the
    translation of Service addresses, unless the kernel module br_netfilter is loaded.
    """
    plugin = {
        "type": "ptp",
        "ipMasq": False,
        "ipam": {"type": "host-local", "ranges": [[{"subnet": str(pods)}]], "routes": [{"dst": "0.0.0.0/0"}]},
    }
    # The oldest configuration version that all plugins in use today can read.
    return json.dumps({"cniVersion": "0.4.0", "name": "pods", "plugins": [plugin]}, indent=2)


def kubelet_config(*, authority: str, certificate: str, key: str, cgroup: str) -> str:
    """Return kubelet's configuration.

    Args:
        authority: The certificate authority of the cluster.
        certificate: kubelet's serving certificate, for logs and exec.
        key: The private key of that certificate.
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
            # Old hosts, and some minimal ones, have only version 1 of cgroups.
            "failCgroupV1": False,
            "failSwapOn": False,
            # It needs the block device of kubelet's directory, which not every file system has.
            "localStorageCapacityIsolation": False,
            # There is no DNS: Pods find the API server by environment variables, and DNS queries fail at once.
            "clusterDomain": CLUSTER_DOMAIN,
            "resolvConf": "",
            "nodeLeaseDurationSeconds": LEASE_SECONDS,
            "nodeStatusUpdateFrequency": f"{LEASE_SECONDS // 4}s",
            # A host disk filled by other programs is no reason to evict Pods.
            "imageGCHighThresholdPercent": 100,
            "evictionHard": {"nodefs.available": "0%", "nodefs.inodesFree": "0%", "imagefs.available": "0%"},
        },
    )


def proxy_config(*, kubeconfig: str, name: str, pods: IPv4Network) -> str:
    """Return kube-proxy's configuration.

    Args:
        kubeconfig: The kubeconfig of kube-proxy.
        name: The node's name.
        pods: The network of the Pods, whose source addresses are kept.
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
            # These settings belong to the host, and a node must leave the host unchanged.
            "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
        },
    )


def kubelet_arguments(*, config: str, kubeconfig: str, name: str, address: IPv4Address) -> list[str]:
    """Return the flags of kubelet that its configuration file cannot express."""
    return [
        f"--config={config}",
        f"--kubeconfig={kubeconfig}",
        f"--hostname-override={name}",
        f"--node-ip={address}",
    ]


def _yaml(document: dict[str, Any]) -> str:
    return yaml.safe_dump(document, sort_keys=False)

"""Command lines of the components, one function each, with the reason for each flag.

Called by the control plane. Pure: takes paths and addresses, and returns arguments.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from provisioner_devcluster.control_plane.certificates import KeyPair

# Tests with thousands of objects and watches must measure the product, not the default limits of a small server.
MAX_READS_IN_FLIGHT = 2000
MAX_WRITES_IN_FLIGHT = 1000

# No other clients need protection from the controllers' request rate.
CONTROLLER_REQUESTS_PER_SECOND = 500

# More than etcd's default of 2 GiB, for tests that write many objects and never compact.
ETCD_QUOTA = 8 * 1024**3

# No traffic is routed to it on loopback; the range must only be distinct.
SERVICE_RANGE = "10.96.0.0/16"
FIRST_SERVICE_ADDRESS = "10.96.0.1"

SERVICE_ACCOUNT_ISSUER = "https://kubernetes.default.svc"


@dataclass(frozen=True, slots=True)
class Nodes:
    """Settings of a control plane that has nodes."""

    grace_seconds: int
    """Seconds without a heartbeat after which a node is no longer Ready."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Addresses and files of the components of one cluster."""

    directory: Path
    address: str
    etcd_port: int
    server_port: int
    authority: KeyPair
    """The cluster's certificate authority."""
    serving: KeyPair
    """The API server's certificate."""
    etcd_authority: KeyPair
    """The certificate authority of etcd; separate, so that a user of the cluster is not a user of its database."""
    etcd: KeyPair
    """Certificate of etcd, and of the API server as its only client."""
    service_account_key: Path
    service_account_public_key: Path
    kubelet_client: KeyPair
    """Client certificate of the API server towards kubelets."""
    nodes: Nodes | None
    """Settings for nodes; None in a cluster without nodes."""
    tokens: Path | None = None
    """File of the users' bearer tokens; None if no user has one."""

    @property
    def server(self) -> str:
        """The API server's URL."""
        return f"https://{_host(self.address)}:{self.server_port}"

    @property
    def data(self) -> Path:
        """The directory of etcd's database."""
        return self.directory / "etcd"

    @property
    def etcd_url(self) -> str:
        """The URL of etcd."""
        return f"https://127.0.0.1:{self.etcd_port}"


def etcd_arguments(layout: Layout) -> list[str]:
    """Return etcd's flags: a single member on loopback, for one client."""
    return [
        f"--data-dir={layout.data}",
        f"--listen-client-urls={layout.etcd_url}",
        f"--advertise-client-urls={layout.etcd_url}",
        f"--cert-file={layout.etcd.certificate}",
        f"--key-file={layout.etcd.key}",
        f"--trusted-ca-file={layout.etcd_authority.certificate}",
        "--client-cert-auth",
        # Even a single member must listen for peers.
        "--listen-peer-urls=https://127.0.0.1:0",
        f"--peer-cert-file={layout.etcd.certificate}",
        f"--peer-key-file={layout.etcd.key}",
        f"--peer-trusted-ca-file={layout.etcd_authority.certificate}",
        "--peer-client-cert-auth",
        "--socket-reuse-port",
        # The data is removed with the cluster; with fsync the disk would limit the speed of the tests.
        # The data survives a killed process, though not a power failure.
        "--unsafe-no-fsync",
        f"--quota-backend-bytes={ETCD_QUOTA}",
        "--log-level=warn",
    ]


def api_server_arguments(layout: Layout) -> list[str]:
    """Return the API server's flags: client certificates, RBAC, and anonymous access only as RBAC allows it."""
    return [
        f"--etcd-servers={layout.etcd_url}",
        f"--etcd-cafile={layout.etcd_authority.certificate}",
        f"--etcd-certfile={layout.etcd.certificate}",
        f"--etcd-keyfile={layout.etcd.key}",
        f"--bind-address={layout.address}",
        f"--advertise-address={layout.address}",
        # Endpoints must not be loopback addresses, so on loopback the `kubernetes` Service has none.
        f"--endpoint-reconciler-type={'none' if is_loopback(layout.address) else 'lease'}",
        f"--secure-port={layout.server_port}",
        "--permit-port-sharing",
        f"--tls-cert-file={layout.serving.certificate}",
        f"--tls-private-key-file={layout.serving.key}",
        f"--client-ca-file={layout.authority.certificate}",
        "--authorization-mode=Node,RBAC",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        f"--service-account-issuer={SERVICE_ACCOUNT_ISSUER}",
        f"--service-account-key-file={layout.service_account_public_key}",
        f"--service-account-signing-key-file={layout.service_account_key}",
        "--allow-privileged=true",
        "--kubelet-preferred-address-types=InternalIP",
        f"--max-requests-inflight={MAX_READS_IN_FLIGHT}",
        f"--max-mutating-requests-inflight={MAX_WRITES_IN_FLIGHT}",
        *([f"--token-auth-file={layout.tokens}"] if layout.tokens else []),
        *_kubelet_arguments(layout),
    ]


def controller_manager_arguments(
    layout: Layout,
    kubeconfig: Path,
    requests_per_second: int = CONTROLLER_REQUESTS_PER_SECOND,
    burst: int = CONTROLLER_REQUESTS_PER_SECOND,
) -> list[str]:
    """Return the controller-manager's flags: no leader election for a single instance, and no port."""
    return [
        f"--kubeconfig={kubeconfig}",
        "--use-service-account-credentials",
        # Each controller first requests its ServiceAccount; at the default rate that takes five seconds.
        f"--kube-api-qps={requests_per_second}",
        f"--kube-api-burst={burst}",
        "--leader-elect=false",
        "--secure-port=0",
        f"--root-ca-file={layout.authority.certificate}",
        f"--service-account-private-key-file={layout.service_account_key}",
        f"--cluster-signing-cert-file={layout.authority.certificate}",
        f"--cluster-signing-key-file={layout.authority.key}",
        *([f"--node-monitor-grace-period={layout.nodes.grace_seconds}s"] if layout.nodes else []),
    ]


def scheduler_arguments(kubeconfig: Path) -> list[str]:
    """Return the scheduler's flags: no leader election for a single instance, and no port."""
    return [f"--kubeconfig={kubeconfig}", "--leader-elect=false", "--secure-port=0"]


def is_loopback(address: str) -> bool:
    """Return whether an address is reachable only from this machine."""
    return address.startswith("127.") or address == "::1"


def _kubelet_arguments(layout: Layout) -> list[str]:
    if layout.nodes is None:
        return []
    return [
        # For logs and exec the API server is a client of kubelet; both use certificates of the cluster's authority.
        f"--kubelet-client-certificate={layout.kubelet_client.certificate}",
        f"--kubelet-client-key={layout.kubelet_client.key}",
        f"--kubelet-certificate-authority={layout.authority.certificate}",
        # A kubelet may change only the objects of its own node, as in production clusters.
        "--enable-admission-plugins=NodeRestriction",
    ]


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address else address

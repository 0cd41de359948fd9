"""Files of a cluster that must exist before its first process starts: authorities, certificates, keys, kubeconfigs.

Called by the control plane, once per cluster. Starts nothing.
"""

from __future__ import annotations

import csv
import re
import secrets
from typing import TYPE_CHECKING

from provisioner_devcluster.control_plane.certificates import Authority, KeyPair, write_signing_key
from provisioner_devcluster.control_plane.components import FIRST_SERVICE_ADDRESS, Layout, Nodes
from provisioner_devcluster.control_plane.kubeconfig import write_kubeconfig

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# Kubernetes grants this group all permissions, independently of RBAC.
ADMINISTRATORS = "system:masters"


class Credentials:
    """Certificate authorities of one cluster, and the certificates that they issued."""

    def __init__(self, directory: Path, address: str, tokens: Sequence[str] = ()) -> None:
        self._authority = Authority("devcluster", directory / "pki")
        self._etcd_authority = Authority("devcluster-etcd", directory / "pki-etcd")
        self._directory = directory
        self._users: dict[tuple[str, tuple[str, ...]], Path] = {}
        local = dict.fromkeys([address, "127.0.0.1", "localhost"])
        services = ["kubernetes", "kubernetes.default", "kubernetes.default.svc", FIRST_SERVICE_ADDRESS]
        self._serving = self._authority.issue("serving", "kube-apiserver", addresses=[*local, *services])
        self._etcd = self._etcd_authority.issue("etcd", "etcd", addresses=["127.0.0.1", "localhost"])
        self.administrator = self._authority.issue("administrator", "kubernetes-admin", [ADMINISTRATORS])
        self._kubelet_client = self._authority.issue(
            "kubelet-client", "kube-apiserver-kubelet-client", [ADMINISTRATORS]
        )
        self._signing_key = directory / "service-account.key"
        self._public_key = write_signing_key(self._signing_key)
        self.tokens = {user: secrets.token_urlsafe(32) for user in tokens}
        """Bearer tokens by user."""
        self._tokens_file = self._write_tokens() if tokens else None

    @property
    def certificate(self) -> Path:
        """The authority's certificate, by which clients verify the API server."""
        return self._authority.pair.certificate

    def layout(self, address: str, etcd_port: int, server_port: int, nodes: Nodes | None = None) -> Layout:
        """Write the components' kubeconfigs for these ports, and return all addresses and files."""
        return Layout(
            directory=self._directory,
            address=address,
            etcd_port=etcd_port,
            server_port=server_port,
            authority=self._authority.pair,
            serving=self._serving,
            etcd_authority=self._etcd_authority.pair,
            etcd=self._etcd,
            service_account_key=self._signing_key,
            service_account_public_key=self._public_key,
            kubelet_client=self._kubelet_client,
            nodes=nodes,
            tokens=self._tokens_file,
        )

    def _write_tokens(self) -> Path:
        """Write the file that the API server reads at its start: a token, a name and a uid for each user."""
        path = self._directory / "tokens.csv"
        path.touch(mode=0o600)
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows((token, user, user) for user, token in self.tokens.items())
        return path

    def serving(self, name: str, addresses: Sequence[str]) -> KeyPair:
        """Issue a serving certificate to a server other than the API server."""
        return self._authority.issue(f"serving-{name}", name, addresses=[name, *addresses])

    def kubeconfig(self, file: str, server: str, client: KeyPair) -> Path:
        """Write a kubeconfig with this client certificate."""
        return write_kubeconfig(self._directory / f"{file}.kubeconfig", server, self.certificate, client)

    def user(self, server: str, name: str, groups: Sequence[str]) -> Path:
        """Return the kubeconfig of a user in these groups, the same file at every call."""
        key = (name, tuple(groups))
        if key not in self._users:
            # Numbered, because different user names may map to the same file name.
            file = f"user-{len(self._users) + 1}-{re.sub(r'[^A-Za-z0-9]+', '-', name)}"
            self._users[key] = self.kubeconfig(file, server, self._authority.issue(file, name, groups))
        return self._users[key]

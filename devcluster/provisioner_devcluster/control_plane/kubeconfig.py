"""Self-contained kubeconfig files, which can be copied, mounted or printed.

Called by the control plane. Knows nothing of processes.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from pathlib import Path

    from provisioner_devcluster.control_plane.certificates import KeyPair

# Name of the single cluster, user and context in each file.
NAME = "devcluster"


def write_kubeconfig(path: Path, server: str, authority: Path, client: KeyPair) -> Path:
    """Write a kubeconfig with embedded certificates that only its owner can read, and return its path."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": NAME,
        "clusters": [{"name": NAME, "cluster": {"server": server, "certificate-authority-data": _encoded(authority)}}],
        "contexts": [{"name": NAME, "context": {"cluster": NAME, "user": NAME}}],
        "users": [
            {
                "name": NAME,
                "user": {
                    "client-certificate-data": _encoded(client.certificate),
                    "client-key-data": _encoded(client.key),
                },
            },
        ],
    }
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return path


def _encoded(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()

"""Users are identified by their certificates, and only owners can read keys."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import yaml
from cryptography import x509

from provisioner_devcluster.control_plane.files import Credentials

if TYPE_CHECKING:
    from pathlib import Path


def test_a_users_kubeconfig_carries_name_and_groups(tmp_path: Path) -> None:
    kubeconfig = Credentials(tmp_path, "127.0.0.1").user("https://127.0.0.1:1", "alice@example.org", ["devs", "ops"])
    user = yaml.safe_load(kubeconfig.read_text())["users"][0]["user"]
    certificate = x509.load_pem_x509_certificate(base64.b64decode(user["client-certificate-data"]))
    assert certificate.subject.rfc4514_string() == "CN=alice@example.org,O=ops,O=devs"


def test_the_same_user_gets_the_same_file_and_another_another(tmp_path: Path) -> None:
    credentials = Credentials(tmp_path, "127.0.0.1")
    alice = credentials.user("https://127.0.0.1:1", "alice", [])
    assert credentials.user("https://127.0.0.1:1", "alice", []) == alice
    assert credentials.user("https://127.0.0.1:1", "alice", ["ops"]) != alice


def test_no_key_is_readable_by_others(tmp_path: Path) -> None:
    credentials = Credentials(tmp_path, "127.0.0.1")
    credentials.user("https://127.0.0.1:1", "alice", [])
    secrets = [*tmp_path.rglob("*.key"), *tmp_path.rglob("*.kubeconfig")]
    assert secrets
    assert {file.stat().st_mode & 0o777 for file in secrets} == {0o600}

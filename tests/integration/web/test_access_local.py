"""`kubectl provisioner web`: one user on loopback, with a kubeconfig whose credential is a client certificate."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import yaml

from support.builders.manifests import a_job_manifest
from support.cluster.kubectl import Kubectl
from support.cluster.shared_cluster import Cluster
from support.programs.cli import Cli, Running
from support.programs.web_server import TIMEOUT, WebUsers, await_ready

pytestmark = pytest.mark.usefixtures("certificates")

ADDRESS = re.compile(r"http://\S+\.localhost:\d+/open\?code=\S+")


@dataclass(frozen=True, slots=True)
class LocalServer:
    """A local server, and the address that it printed."""

    running: Running
    address: str

    @property
    def url(self) -> str:
        """Its address on loopback."""
        return f"http://127.0.0.1:{urlsplit(self.address).port}"

    @property
    def opening(self) -> str:
        """The path and the code of the printed address."""
        return "/open" + self.address.partition("/open")[2]

    @contextmanager
    def visitor(self) -> Iterator[httpx.Client]:
        """Provide a browser without a cookie."""
        headers = {"Host": urlsplit(self.address).netloc}
        with httpx.Client(base_url=self.url, headers=headers, timeout=TIMEOUT) as client:
            yield client

    @contextmanager
    def owner(self) -> Iterator[httpx.Client]:
        """Provide a browser that has opened the printed address."""
        with self.visitor() as client:
            answer = client.get(self.opening)
            assert answer.status_code == httpx.codes.SEE_OTHER, answer.text
            client.headers["Cookie"] = answer.headers.get_list("set-cookie")[0].partition(";")[0]
            client.cookies.clear()
            yield client


@contextmanager
def a_local_server(kubeconfig: Path, namespace: str, *arguments: str) -> Iterator[LocalServer]:
    with Cli(kubeconfig, namespace).started("web", *arguments) as running:
        found = ADDRESS.search(running.await_line(".localhost:"))
        assert found is not None
        server = LocalServer(running, found[0])
        await_ready(server.url)
        yield server


def test_threat_23_only_whoever_has_the_printed_address_is_served(
    cluster: Cluster, namespace: str, admin: Kubectl
) -> None:
    admin.create(a_job_manifest("mine"))
    listing = f"/api/v2/organizations/{namespace}/provisionerjobs"
    with (
        a_local_server(cluster.kubeconfig_for("viewer"), namespace) as server,
        server.owner() as owner,
        server.visitor() as other,
    ):
        assert owner.get("/api/v2/users/me").json()["username"] == "viewer"
        assert [job["organization_id"] for job in owner.get(listing).json()]
        for path in ("/", "/login", listing, "/api/v2/buildinfo", server.opening):
            assert other.get(path).status_code == httpx.codes.UNAUTHORIZED, path
        wrong_name = owner.get("/", headers={"Host": "evil.localhost"})
        assert wrong_name.status_code == httpx.codes.FORBIDDEN
        server.running.interrupt()
        assert server.running.exit_code() == 0


def test_a_read_only_server_changes_nothing(cluster: Cluster, namespace: str) -> None:
    with (
        a_local_server(cluster.kubeconfig_for("namespace-admin"), namespace, "--read-only") as server,
        server.owner() as owner,
    ):
        assert owner.get("/").status_code == httpx.codes.OK
        assert owner.post("/").status_code == httpx.codes.FORBIDDEN


@pytest.mark.parametrize(("user", "scope"), [("nobody", "namespace"), ("viewer", "all namespaces")])
def test_a_missing_right_to_read_is_reported_before_the_server_starts(
    cluster: Cluster, namespace: str, user: str, scope: str
) -> None:
    cli = Cli(cluster.kubeconfig_for(user), namespace if scope == "namespace" else None)

    answer = cli.attempt("web")

    assert answer.code == 1
    assert f"{user} may not list provisionerjobs in {scope}" in answer.err


def test_a_credential_plugin_gives_the_token(cluster: Cluster, namespace: str, web: WebUsers, tmp_path: Path) -> None:
    status = {"token": web.token("viewer"), "expirationTimestamp": "2999-01-01T00:00:00Z"}
    credential = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": status}
    config = yaml.safe_load(cluster.kubeconfig.read_text(encoding="utf-8"))
    plugin = {"apiVersion": credential["apiVersion"], "command": "echo", "args": [json.dumps(credential)]}
    for entry in config["users"]:
        entry["user"] = {"exec": plugin | {"interactiveMode": "Never"}}
    kubeconfig = tmp_path / "config"
    kubeconfig.write_text(yaml.safe_dump(config), encoding="utf-8")

    with a_local_server(kubeconfig, namespace) as server, server.owner() as owner:
        assert owner.get("/api/v2/users/me").json()["username"] == web.name("viewer")

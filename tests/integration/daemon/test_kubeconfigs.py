"""Daemons outside the cluster with the kubeconfigs of real life, and Terraform's backend, which has to agree with them."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from integration.daemon.conftest import Office, terraform_flags, wait_until
from support.programs.connect_proxy import ConnectProxy, serving_proxy

ACCOUNT = "on-prem"
TEMPLATE = """
resource "terraform_data" "it" { input = "%s" }
output "it" { value = terraform_data.it.output }
"""
PLUGIN = """#!/bin/sh
test -n "$ONLY_OF_THE_DAEMON" || { echo "run by Terraform" >> "${0%/*}/runs"; exit 1; }
echo "run by the daemon" >> "${0%/*}/runs"
cat "${0%/*}/answer"
"""


@pytest.fixture
def proxy() -> Iterator[ConnectProxy]:
    with serving_proxy() as proxy:
        yield proxy


@pytest.fixture
def account(office: Office) -> str:
    """An account with the rights of a daemon outside the cluster; returns its name."""
    office.kubectl.run("create", "serviceaccount", ACCOUNT)
    for role in ("provisioner-daemon", "provisioner-external-daemon"):
        subject = f"--serviceaccount={office.namespace}:{ACCOUNT}"
        office.kubectl.run("create", "rolebinding", f"{ACCOUNT}-{role}", f"--clusterrole={role}", subject)
    return ACCOUNT


def a_token(office: Office, secret: str) -> str:
    """Return a token of the account that is valid as long as the Secret exists."""
    office.kubectl.run("create", "secret", "generic", secret)
    bound = ("--bound-object-kind=Secret", f"--bound-object-name={secret}")
    return office.kubectl.run("create", "token", ACCOUNT, *bound).stdout.strip()


def rewrite(office: Office, user: dict[str, Any], **cluster: str) -> None:
    """Give the office's daemons a kubeconfig with this user."""
    path = office.directory / "kubeconfig"
    document = yaml.safe_load(path.read_text())
    document["users"][0]["user"] = user
    document["clusters"][0]["cluster"] |= cluster
    path.write_text(yaml.safe_dump(document))


def build(office: Office, job: str, word: str) -> None:
    spec = {
        "transition": "Start",
        "workspaceRef": {"name": "dev"},
        "source": {"inline": {"files": {"main.tf": TEMPLATE % word}}},
    }
    office.submit_spec(job, spec)
    assert office.await_phase(job, "Completed")["outputs"] == [{"name": "it", "value": word}]


@pytest.mark.usefixtures("account")
def test_a_plugin_logs_the_daemon_in_and_terraform_with_it(
    office: Office, proxy: ConnectProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONLY_OF_THE_DAEMON", "1")
    plugin = tmp_path / "login"
    plugin.write_text(PLUGIN)
    plugin.chmod(0o755)

    def give(token: str) -> None:
        (tmp_path / "answer").write_text(json.dumps({"kind": "ExecCredential", "status": {"token": token}}))

    give(a_token(office, "first"))
    section = {"apiVersion": "client.authentication.k8s.io/v1", "command": "./login", "interactiveMode": "Never"}
    rewrite(office, {"exec": section}, **{"proxy-url": proxy.url})
    office.start_terraform("d1")
    before = len(proxy.targets)
    build(office, "one", "a")
    assert office.kubectl.get("secret", "tfstate-default-dev-ws")
    assert len(proxy.targets) > before, "Terraform goes through the proxy too"
    private = next(office.directory.glob("provisioner-run-*-login-*"))
    assert {path.stat().st_mode & 0o777 for path in private.iterdir()} == {0o600}

    give(a_token(office, "second"))
    office.kubectl.delete("secret", "first")
    # The API server remembers for some seconds that a token was valid; from then on it answers 401.
    wait_until(lambda: len((tmp_path / "runs").read_text().splitlines()) > 1, "the plugin to run again")
    build(office, "two", "b")
    assert set((tmp_path / "runs").read_text().splitlines()) == {"run by the daemon"}


@pytest.mark.usefixtures("account")
def test_a_token_that_expires_is_read_again_from_its_file(office: Office, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(a_token(office, "first"))
    rewrite(office, {"tokenFile": "token"})
    office.start_terraform("d1")
    build(office, "one", "a")
    (tmp_path / "token").write_text(a_token(office, "second"))
    office.kubectl.delete("secret", "first")
    build(office, "two", "b")


def test_the_files_of_kubeconfig_are_merged_for_terraform_too(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first file names the context, the second defines what it refers to; `~` and relative paths are resolved."""
    flags = terraform_flags()  # found in the caches of the tests' own home
    document = yaml.safe_load((office.directory / "kubeconfig").read_text())
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "context").write_text(yaml.safe_dump({"current-context": document["current-context"]}))
    (tmp_path / "rest").write_text(yaml.safe_dump(document | {"current-context": ""}))
    monkeypatch.setenv("KUBECONFIG", os.pathsep.join(["~/context", "~/rest"]))
    office.kubeconfig = None
    office.start("d1", *flags)
    build(office, "one", "a")

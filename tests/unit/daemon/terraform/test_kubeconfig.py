"""The kubeconfig for the backend of Terraform's state says what the daemon uses itself, without the means to get more."""

import json
from pathlib import Path
from typing import Any

import pytest

from provisioner_operator.daemon.terraform.kubeconfig import RunKubeconfig
from provisioner_operator.kube.credential import Credential
from provisioner_operator.kube.exec_plugin import ExecPlugin
from provisioner_operator.kube.login import Chosen, Login, Pem, Server

CLUSTER = {"server": "https://it.example.com", "proxy-url": "http://proxy.example.com", "tls-server-name": "it"}
PLUGIN = ExecPlugin(("login",), {})


def written(directory: Path, credential: Credential) -> Any:
    """Return the user of the kubeconfig that is written for a credential."""
    kubeconfig = RunKubeconfig(directory)
    kubeconfig.update(credential)
    assert {path.stat().st_mode & 0o777 for path in directory.iterdir() if path.suffix != ".crt"} == {0o600}
    document = json.loads(kubeconfig.path.read_text())
    assert document["clusters"][0]["cluster"] == CLUSTER
    return document["users"][0]["user"]


def a_login(user: dict[str, Any], **fields: Any) -> Login:
    return Login(Server("https://it.example.com"), chosen=Chosen((), CLUSTER, user, "it"), **fields)


@pytest.fixture
def private(tmp_path: Path) -> Path:
    (tmp_path / "private").mkdir()
    return tmp_path / "private"


def test_a_plugins_token_is_in_a_file_that_follows_it(private: Path) -> None:
    login = a_login({"exec": {"command": "login"}}, plugin=PLUGIN)
    token = private / "token"
    assert written(private, Credential(login, "Bearer first")) == {"tokenFile": str(token)}
    assert token.read_text() == "first"
    written(private, Credential(login, "Bearer second"))
    assert token.read_text() == "second"


def test_a_token_of_the_kubeconfig_is_in_a_file_too(private: Path) -> None:
    assert written(private, Credential(a_login({"token": "x"}), "Bearer x")) == {"tokenFile": str(private / "token")}


def test_a_token_file_is_the_daemons_own(private: Path) -> None:
    login = a_login({"tokenFile": "/etc/token"}, token_file=Path("/etc/token"))
    assert written(private, Credential(login, "Bearer x")) == {"tokenFile": "/etc/token"}


def test_a_name_and_a_password_stay(private: Path) -> None:
    user = {"username": "joe", "password": "x"}
    assert written(private, Credential(a_login(user), "Basic eDp5")) == user


@pytest.mark.parametrize("as_files", [False, True])
def test_a_certificate_is_in_files(private: Path, *, as_files: bool) -> None:
    pair: tuple[Pem, Pem] = ("chain", "key\n")
    if as_files:
        pair = (private.parent / "client.crt", private.parent / "client.key")
    user = written(private, Credential(a_login({}), certificate=pair))
    if as_files:
        assert user == {"client-certificate": str(pair[0]), "client-key": str(pair[1])}
    else:
        both = private / "client.pem"
        assert user == {"client-certificate": str(both), "client-key": str(both)}
        assert both.read_text() == "chain\nkey\n"


def test_a_disk_that_is_full_ends_no_request(private: Path, caplog: pytest.LogCaptureFixture) -> None:
    private.rmdir()
    RunKubeconfig(private).update(Credential(a_login({"token": "x"}), "Bearer x"))
    assert "could not be written" in caplog.text

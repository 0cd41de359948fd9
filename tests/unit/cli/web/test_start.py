"""`kubectl provisioner web` becomes the web server for the same cluster, context and namespace."""

import os
from pathlib import Path

import pytest
import yaml

from provisioner_operator.cli.api.kubeconfig import Choice
from provisioner_operator.cli.errors import UsageError
from provisioner_operator.cli.session import Session
from provisioner_operator.cli.web import start as start_module
from provisioner_operator.cli.web.start import arguments, start


def a_kubeconfig(path: Path, name: str, **user: object) -> Path:
    config = {
        "current-context": name,
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "clusters": [{"name": name, "cluster": {"server": f"https://{name}.invalid"}}],
        "users": [{"name": name, "user": user or {"token": "x"}}],
    }
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


def test_the_server_gets_the_cluster_the_context_and_the_namespace(tmp_path: Path) -> None:
    path = a_kubeconfig(tmp_path / "config", "blue")

    given = arguments(Session(Choice(path, None, "red")), port=8123, read_only=True)

    assert given == [
        "local",
        f"--kubeconfig={path}",
        "--context=blue",
        "--port=8123",
        "--namespace=red",
        "--read-only",
    ]


def test_without_a_namespace_all_are_shown(tmp_path: Path) -> None:
    path = a_kubeconfig(tmp_path / "config", "blue")

    given = arguments(Session(Choice(path)), port=0, read_only=False)

    assert given == ["local", f"--kubeconfig={path}", "--context=blue", "--port=0"]


def test_the_files_of_the_environment_are_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = os.pathsep.join(str(a_kubeconfig(tmp_path / name, name)) for name in ("blue", "green"))
    monkeypatch.setenv("KUBECONFIG", files)

    assert arguments(Session(Choice(context="green")), port=0, read_only=False)[1:3] == [
        f"--kubeconfig={files}",
        "--context=green",
    ]


def test_a_context_that_impersonates_is_refused_rather_than_used_as_somebody_else(tmp_path: Path) -> None:
    path = a_kubeconfig(tmp_path / "config", "blue", **{"token": "x", "as": "sam"})

    with pytest.raises(UsageError, match="impersonate"):
        arguments(Session(Choice(path)), port=0, read_only=False)


def test_where_the_server_is_not_installed_the_command_says_how(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start_module, "_NEEDED", "no_such_package")

    with pytest.raises(UsageError, match=r"pip install 'provisioner-operator\[web\]'"):
        start(Session(Choice(a_kubeconfig(tmp_path / "config", "blue"))), port=0, read_only=False)

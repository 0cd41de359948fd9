"""A local user's credential comes from a kubeconfig: a token, a certificate, or a plugin that is asked again in time."""

import asyncio
import json
import ssl
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from provisioner_operator.kube.logins.login import LoginError
from provisioner_operator.web.access import local_kubeconfig
from provisioner_operator.web.access.local_kubeconfig import connect_locally

COUNTING = """
import json, pathlib, sys
file = pathlib.Path(sys.argv[1])
number = int(file.read_text()) + 1 if file.exists() else 1
file.write_text(str(number))
status = {"token": f"token-{number}", **json.loads(sys.argv[2])}
print(json.dumps({"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": status}))
"""
"""A plugin that gives another token each time."""
EXPIRED = "2020-01-01T00:00:00Z"
FAR_AWAY = "2999-01-01T00:00:00Z"


def a_kubeconfig(folder: Path, **user: object) -> str:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "it",
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        "clusters": [{"name": "it", "cluster": {"server": "https://api.invalid/"}}],
        "users": [{"name": "it", "user": user}],
    }
    path = folder / "config"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return str(path)


def with_plugin(folder: Path, **status: object) -> str:
    script = folder / "plugin.py"
    script.write_text(COUNTING, encoding="utf-8")
    plugin = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "python3",
        "args": [str(script), str(folder / "count"), json.dumps(status)],
        "interactiveMode": "Never",
    }
    return a_kubeconfig(folder, exec=plugin)


def headers(kubeconfig: str, times: int = 1, context: str | None = None) -> list[Mapping[str, str]]:
    async def run() -> list[Mapping[str, str]]:
        async with connect_locally(kubeconfig, context, user_agent="test") as connection:
            assert connection.server == "https://api.invalid"
            return [await connection.credential.headers() for _ in range(times)]

    return asyncio.run(run())


def test_a_token_is_sent_as_it_is(tmp_path: Path) -> None:
    assert headers(a_kubeconfig(tmp_path, token="abc")) == [{"Authorization": "Bearer abc"}]


def test_a_certificate_is_shown_by_the_session_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[tuple[str, str]] = []
    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", lambda _, *files: loaded.append(files))
    for name in ("cert", "key"):
        (tmp_path / name).write_text("x", encoding="utf-8")
    files = (str(tmp_path / "cert"), str(tmp_path / "key"))

    kubeconfig = a_kubeconfig(tmp_path, **{"client-certificate": files[0], "client-key": files[1]})

    assert headers(kubeconfig) == [{}]
    assert loaded == [files]


def test_a_plugin_is_asked_again_when_its_token_has_expired(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_kubeconfig, "_REFRESH_SECONDS", -1.0)

    given = headers(with_plugin(tmp_path, expirationTimestamp=EXPIRED), times=3)

    assert [each["Authorization"] for each in given] == ["Bearer token-2", "Bearer token-3", "Bearer token-4"]


@pytest.mark.parametrize("status", [{}, {"expirationTimestamp": FAR_AWAY}], ids=["never", "later"])
def test_a_plugin_is_not_asked_again_before_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: dict[str, str]
) -> None:
    monkeypatch.setattr(local_kubeconfig, "_REFRESH_SECONDS", -1.0)

    given = headers(with_plugin(tmp_path, **status), times=3)

    assert [each["Authorization"] for each in given] == ["Bearer token-1"] * 3


@pytest.mark.parametrize(("name", "context"), [("missing", None), ("config", "no-such-context")])
def test_a_kubeconfig_that_cannot_be_used_is_an_error_of_the_login(
    tmp_path: Path, name: str, context: str | None
) -> None:
    a_kubeconfig(tmp_path, token="abc")

    with pytest.raises(LoginError, match="The kubeconfig cannot be used"):
        headers(str(tmp_path / name), context=context)

"""Credential plugins as real programs: what they are told, what they give, and what goes wrong with them."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from provisioner_operator.kube.logins import exec_plugin
from provisioner_operator.kube.logins.exec_plugin import ExecPlugin, Given, PluginError, plugin_of
from support.virtual_time import now, virtual_time

CLUSTER = {"server": "https://it.example.com", "certificate-authority-data": "Q0E=", "insecure-skip-tls-verify": False}


def a_script(path: Path, body: str) -> str:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


def an_answer(**status: Any) -> str:
    return json.dumps({"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1", "status": status})


def run(plugin: ExecPlugin) -> Given:
    return asyncio.run(plugin.run())


def test_a_plugin_gets_its_arguments_its_variables_and_what_it_is_for(tmp_path: Path) -> None:
    answer = an_answer(token="abc", expirationTimestamp="2026-01-01T00:00:00Z")
    command = a_script(
        tmp_path / "login",
        f'echo "$1 $WHO" > {tmp_path}/seen; echo "$KUBERNETES_EXEC_INFO" >> {tmp_path}/seen\necho \'{answer}\'',
    )
    extension = {"name": "client.authentication.k8s.io/exec", "extension": {"audience": "x"}}
    section = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": command,
        "args": ["token"],
        "env": [{"name": "WHO", "value": "ada"}],
        "provideClusterInfo": True,
    }
    given = run(plugin_of(section, CLUSTER | {"extensions": [extension]}))

    assert given == Given("abc", None, 1767225600.0)
    first, second = (tmp_path / "seen").read_text().splitlines()
    assert first == "token ada"
    info = json.loads(second)
    assert info["apiVersion"] == "client.authentication.k8s.io/v1beta1"
    assert info["spec"] == {
        "interactive": False,
        "cluster": {
            "server": "https://it.example.com",
            "certificate-authority-data": "Q0E=",
            "config": {"audience": "x"},
        },
    }


def test_a_plugin_may_give_a_certificate(tmp_path: Path) -> None:
    answer = an_answer(clientCertificateData="chain", clientKeyData="key")
    given = run(plugin_of({"command": a_script(tmp_path / "login", f"echo '{answer}'")}, CLUSTER))
    assert given == Given(None, ("chain", "key"), None)
    assert "chain" not in repr(given)


@pytest.mark.parametrize("part", ["clientCertificateData", "clientKeyData"])
def test_half_a_certificate_beside_a_token_is_none(tmp_path: Path, part: str) -> None:
    answer = an_answer(token="abc", **{part: "half"})
    given = run(plugin_of({"command": a_script(tmp_path / "login", f"echo '{answer}'")}, CLUSTER))
    assert given == Given("abc", None, None)


def test_of_a_long_complaint_the_end_is_shown(tmp_path: Path) -> None:
    plugin = plugin_of({"command": a_script(tmp_path / "login", "printf 'x%.0s' $(seq 900) >&2; exit 3")}, CLUSTER)
    with pytest.raises(PluginError) as failed:
        run(plugin)
    assert str(failed.value).endswith(f" exit code 3: {'x' * 500}")


class Silent:
    """A plugin's process that waits for somebody, until it is killed."""

    returncode: int | None = None

    async def communicate(self) -> tuple[bytes, bytes]:
        await asyncio.Event().wait()
        raise AssertionError

    def kill(self) -> None:
        self.returncode = -9

    async def wait(self) -> int | None:
        return self.returncode


@virtual_time
async def test_a_plugin_gets_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    process = Silent()

    async def start(*_: object, **__: object) -> Silent:
        return process

    monkeypatch.setattr(asyncio, "create_subprocess_exec", start)
    with pytest.raises(PluginError, match="gave nothing for 60 s"):
        await ExecPlugin(("login",), {}).run()
    assert now() == 60
    assert process.returncode == -9


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("echo expired >&2; exit 3", r"The credential plugin '.*/login' failed with exit code 3: expired$"),
        ("echo secret", r"printed no credential\. Run it by hand\.$"),
        (f"echo '{an_answer()}'", "printed neither a token nor a certificate with its key"),
        (f"echo '{an_answer(clientKeyData='secret')}'", "printed neither a token nor a certificate with its key"),
        (f"echo '{an_answer(token='secret', expirationTimestamp='soon')}'", "printed no credential"),
    ],
)
def test_a_plugin_that_gives_nothing_is_named(body: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(PluginError, match=message) as caught:
        run(plugin_of({"command": a_script(tmp_path / "login", body)}, CLUSTER))
    assert "secret" not in str(caught.value)


def test_a_plugin_that_is_not_installed_comes_with_its_hint(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match=r"is not installed\. Install it with apt\.$"):
        run(plugin_of({"command": str(tmp_path / "none"), "installHint": "Install it with apt."}, CLUSTER))
    (tmp_path / "file").touch()
    with pytest.raises(PluginError, match="cannot be run: Permission denied"):
        run(plugin_of({"command": str(tmp_path / "file")}, CLUSTER))


def test_a_plugin_that_hangs_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exec_plugin, "PLUGIN_SECONDS", 0.3)
    pid = tmp_path / "pid"
    plugin = plugin_of({"command": a_script(tmp_path / "login", f"echo $$ > {pid}; exec sleep 60")}, CLUSTER)
    with pytest.raises(PluginError, match="gave nothing for"):
        run(plugin)
    assert not Path("/proc", pid.read_text().strip()).exists()


def test_a_plugin_that_wants_to_ask_somebody_is_refused_unless_somebody_is_there() -> None:
    section = {"command": "login", "interactiveMode": "Always"}
    with pytest.raises(ValueError, match="wants to ask somebody"):
        plugin_of(section, CLUSTER)
    assert json.loads(plugin_of(section, CLUSTER, interactive=True).environment["KUBERNETES_EXEC_INFO"])["spec"][
        "interactive"
    ]
    with pytest.raises(ValueError, match="without a command"):
        plugin_of({}, CLUSTER)


def test_a_plugin_learns_the_authority_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text("CA")
    section = {"command": "login", "provideClusterInfo": True}
    plugin = plugin_of(section, {"server": "https://x", "certificate-authority": str(tmp_path / "ca.crt")})
    info = json.loads(plugin.environment["KUBERNETES_EXEC_INFO"])
    assert info["spec"]["cluster"]["certificate-authority-data"] == "Q0E="

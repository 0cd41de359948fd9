"""A process finds its cluster by the kubeconfig that it is given or by its Pod's ServiceAccount, and never by accident."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest
import yaml

from provisioner_operator.kube.connect import (
    RedirectedError,
    connect,
    connect_for_users,
    refuse_redirects,
)
from provisioner_operator.kube.logins import login as login_module
from provisioner_operator.kube.logins.credential import CurrentCredential
from provisioner_operator.kube.logins.login import LoginError
from support.virtual_time import virtual_time


@pytest.fixture(autouse=True)
def no_cluster(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """An environment that names no cluster, with a home whose kubeconfig must not be read."""
    home = tmp_path / "home"
    write_kubeconfig(home / ".kube" / "config", server="https://home.invalid")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("KUBECONFIG", "")  # so that what a test sets is taken back
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"):
        monkeypatch.delenv(name, raising=False)
    yield
    monkeypatch.delenv("KUBECONFIG", raising=False)


def write_kubeconfig(path: Path, *, server: str, token: str = "from-the-file") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "it",
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        "clusters": [{"name": "it", "cluster": {"server": server}}],
        "users": [{"name": "it", "user": {"token": token}}],
    }
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


@pytest.fixture
def service_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A Pod's ServiceAccount as kubelet mounts it; returns the token's file."""
    monkeypatch.setattr(login_module, "SERVICE_ACCOUNT", tmp_path)
    token = tmp_path / "token"
    token.write_text("at-the-start\n", encoding="utf-8")
    return token


async def login(kubeconfig: Path | None = None) -> tuple[str, str | None]:
    """The server and the credential of the session that is opened."""
    async with connect(kubeconfig, connections=7) as connection:
        assert connection.session.connector is not None
        assert connection.session.connector.limit == 7
        return connection.server, (await connection.credential.get()).authorization


@virtual_time
async def test_the_given_kubeconfig_comes_before_the_environments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = write_kubeconfig(tmp_path / "given", server="https://given.invalid")
    named = write_kubeconfig(tmp_path / "named", server="https://named.invalid", token="named")
    monkeypatch.setenv("KUBECONFIG", str(named))
    assert await login() == ("https://named.invalid", "Bearer named")
    assert await login(given) == ("https://given.invalid", "Bearer from-the-file")


@virtual_time
async def test_without_any_the_home_directorys_kubeconfig_is_not_read() -> None:
    with pytest.raises(LoginError, match="No cluster given: pass --kubeconfig"):
        await login()


@virtual_time
async def test_a_kubeconfig_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    with pytest.raises(LoginError, match=f"The kubeconfig {tmp_path / 'missing'} cannot be read"):
        await login(tmp_path / "missing")


@pytest.mark.usefixtures("service_account")
@pytest.mark.parametrize(
    ("environment", "server"),
    [
        ({}, "https://kubernetes.default.svc"),
        ({"HOST": "10.0.0.1"}, "https://10.0.0.1:443"),
        ({"HOST": "10.0.0.1", "PORT": "6443"}, "https://10.0.0.1:6443"),
        ({"HOST": "fd00::1", "PORT": "6443"}, "https://[fd00::1]:6443"),
    ],
    ids=["by name", "by address", "with a port", "IPv6"],
)
@virtual_time
async def test_a_pod_reaches_the_api_server_by_its_address(
    environment: dict[str, str], server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(f"KUBERNETES_SERVICE_{name}", value)
    assert await login() == (server, "Bearer at-the-start")


@pytest.mark.usefixtures("service_account")
@virtual_time
async def test_in_a_pod_a_kubeconfig_is_used_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    given = write_kubeconfig(tmp_path / "given", server="https://given.invalid")
    assert await login(given) == ("https://given.invalid", "Bearer from-the-file")


@pytest.mark.usefixtures("service_account")
@virtual_time
async def test_a_further_session_uses_the_same_connections_and_its_end_closes_no_other() -> None:
    async with connect() as connection:
        further = connection.another_session()
        assert further.connector is connection.session.connector
        assert further.headers == connection.session.headers
        assert further._middlewares == connection.session._middlewares  # noqa: SLF001 - aiohttp shows them nowhere else
        await further.close()
        assert not connection.session.closed
        assert connection.session.connector is not None
        assert not connection.session.connector.closed


@virtual_time
async def test_the_end_of_a_users_session_leaves_the_connections_to_others(tmp_path: Path) -> None:
    kubeconfig = write_kubeconfig(tmp_path / "config", server="https://it.invalid")
    async with connect_for_users(kubeconfig, user_agent="web") as users:
        await users.session.close()
        assert not users.connector.closed


@virtual_time
async def test_a_credential_that_cannot_be_read_is_reported_at_once(tmp_path: Path) -> None:
    kubeconfig = write_kubeconfig(tmp_path / "config", server="https://it.invalid")
    document = yaml.safe_load(kubeconfig.read_text())
    document["users"][0]["user"] = {"tokenFile": "token"}
    kubeconfig.write_text(yaml.safe_dump(document))
    (tmp_path / "token").touch()
    with pytest.raises(LoginError, match=r"^Cannot log in at https://it.invalid: .*token is empty"):
        await login(kubeconfig)


@pytest.mark.usefixtures("service_account")
@virtual_time
async def test_a_renewal_under_way_ends_with_the_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(_: object) -> None:
        await asyncio.Event().wait()

    async with connect() as connection:
        await asyncio.sleep(60)
        monkeypatch.setattr(CurrentCredential, "_replace", hang)
        asking = asyncio.create_task(connection.credential.get())
        await asyncio.sleep(1)
        asking.cancel()
    assert asyncio.all_tasks() == {asyncio.current_task()}


class Response:
    """As much of an answer as the middleware looks at."""

    def __init__(self, status: int) -> None:
        self.status = status
        self.is_closed = False

    def close(self) -> None:
        self.is_closed = True


async def answered(response: Response) -> Any:
    async def handler(_: aiohttp.ClientRequest) -> aiohttp.ClientResponse:
        return cast("aiohttp.ClientResponse", response)

    return await refuse_redirects(cast("aiohttp.ClientRequest", None), handler)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@virtual_time
async def test_no_code_that_a_client_would_follow_is_followed(status: int) -> None:
    response = Response(status)
    with pytest.raises(RedirectedError, match=str(status)):
        await answered(response)
    assert response.is_closed


@pytest.mark.parametrize("status", [200, 304, 404, 503])
@virtual_time
async def test_every_other_answer_is_passed_on(status: int) -> None:
    response = Response(status)
    assert await answered(response) is response
    assert not response.is_closed


def test_connections_are_bounded(tmp_path: Path) -> None:
    kubeconfig = write_kubeconfig(tmp_path / "config", server="https://it.invalid")

    def limits(*sessions: aiohttp.ClientSession) -> list[int]:
        return [session.connector.limit for session in sessions if session.connector is not None]

    async def run() -> None:
        async with connect(kubeconfig) as own, connect_for_users(kubeconfig, user_agent="web") as users:
            assert limits(own.session, users.session, users.streams) == [64, 64, 1024]
        async with (
            connect(kubeconfig, connections=3) as own,
            connect_for_users(kubeconfig, user_agent="web", connections=4, streams=5) as users,
        ):
            assert limits(own.session, users.session, users.streams) == [3, 4, 5]

    asyncio.run(run())

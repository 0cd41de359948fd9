"""The credential of a process stays current: files are read again, plugins run again, and 401 is answered with what is new."""

import asyncio
import gc
import json
import time
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest
import yaml

from provisioner_devcluster.control_plane.certificates import Authority, KeyPair
from provisioner_operator.kube.logins.credential import (
    Credential,
    CredentialError,
    CurrentCredential,
)
from provisioner_operator.kube.logins.exec_plugin import ExecPlugin, Given, PluginError
from provisioner_operator.kube.logins.login import Login, Server, find_login
from support.virtual_time import virtual_time

SERVER = Server("https://it.invalid")


class Request:
    """As much of a request as signing changes."""

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}
        self._ssl: Any = None


class Response:
    """As much of an answer as signing looks at."""

    def __init__(self, status: int) -> None:
        self.status = status
        self.is_closed = False

    def close(self) -> None:
        self.is_closed = True


class ApiServer:
    """Accepts one header, and records which requests it got."""

    def __init__(self, accepted: str) -> None:
        self.accepted = accepted
        self.seen: list[str | None] = []
        self.answers: list[Response] = []
        self.takes = 0.0
        """Seconds to an answer."""

    async def ask(self, credential: CurrentCredential) -> int:
        """Send a request and return the status of its answer."""

        async def handler(request: aiohttp.ClientRequest) -> aiohttp.ClientResponse:
            self.seen.append(request.headers.get("Authorization"))
            response = Response(200 if self.seen[-1] == self.accepted else 401)
            self.answers.append(response)
            await asyncio.sleep(self.takes)
            return cast("aiohttp.ClientResponse", response)

        return (await credential.sign(cast("aiohttp.ClientRequest", Request()), handler)).status


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text("first\n")
    return path


def replace(path: Path, text: str) -> None:
    path.write_text(text)


class Plugins:
    """Gives what it is told to, and counts."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.runs = 0
        self.lives: float | None = 100.0
        self.fails = False
        self.clock = 1_000_000.0
        monkeypatch.setattr(ExecPlugin, "run", self._run)
        monkeypatch.setattr(time, "time", self.time)
        self._loop: asyncio.AbstractEventLoop | None = None

    def time(self) -> float:
        return 1_000_000.0 + asyncio.get_running_loop().time()

    async def _run(self) -> Given:
        self.runs += 1
        number = self.runs
        await asyncio.sleep(1)
        if self.fails:
            raise PluginError("no network")
        return Given(f"t{number}", None, None if self.lives is None else self.time() + self.lives)


@pytest.fixture
def plugins(monkeypatch: pytest.MonkeyPatch) -> Plugins:
    return Plugins(monkeypatch)


def by_plugin() -> CurrentCredential:
    return CurrentCredential(Login(SERVER, plugin=ExecPlugin(("login",), {})))


async def header(credential: CurrentCredential) -> str | None:
    return (await credential.get()).authorization


@virtual_time
async def test_a_token_file_is_read_again_once_it_may_have_been_replaced(token_file: Path) -> None:
    credential = CurrentCredential(Login(SERVER, token_file=token_file))
    assert await header(credential) == "Bearer first"
    replace(token_file, "second\n")
    await asyncio.sleep(59)
    assert await header(credential) == "Bearer first"
    await asyncio.sleep(1)
    assert await header(credential) == "Bearer second"
    replace(token_file, "")
    await asyncio.sleep(60)
    assert await header(credential) == "Bearer second", "somebody is about to write a new one"
    replace(token_file, "third")
    await asyncio.sleep(5)
    assert await header(credential) == "Bearer third"


@virtual_time
async def test_a_token_that_is_refused_is_read_again_at_once(token_file: Path) -> None:
    credential = CurrentCredential(Login(SERVER, token_file=token_file))
    server = ApiServer("Bearer first")
    assert await server.ask(credential) == 200
    server.accepted = "Bearer second"
    assert await server.ask(credential) == 401
    replace(token_file, "second\n")
    assert await server.ask(credential) == 401, "a moment later, it is not read again"
    await asyncio.sleep(5)
    assert await server.ask(credential) == 200
    assert server.seen == [f"Bearer {token}" for token in ("first", "first", "first", "first", "second")]
    assert [answer.is_closed for answer in server.answers] == [False, False, False, True, False]


@virtual_time
async def test_a_request_that_is_refused_after_the_renewal_for_another_is_sent_again(token_file: Path) -> None:
    credential = CurrentCredential(Login(SERVER, token_file=token_file))
    server = ApiServer("Bearer second")
    replace(token_file, "first")
    await credential.get()
    replace(token_file, "second")
    server.takes = 3
    slow = asyncio.create_task(server.ask(credential))
    await asyncio.sleep(1)
    server.takes = 0
    assert await server.ask(credential) == 200
    assert await slow == 200
    assert server.seen == [f"Bearer {token}" for token in ("first", "first", "second", "second")]


@virtual_time
async def test_a_token_in_the_kubeconfig_is_read_again_when_it_is_refused(tmp_path: Path) -> None:
    def write(token: str) -> Path:
        document = {
            "clusters": [{"name": "it", "cluster": {"server": SERVER.url}}],
            "users": [{"name": "it", "user": {"token": token}}],
            "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
            "current-context": "it",
        }
        path = tmp_path / "config"
        path.write_text(yaml.safe_dump(document))
        return path

    credential = CurrentCredential(login := find_login(write("first"), {}))
    assert credential.chosen == login.chosen
    assert credential.chosen is not None
    server = ApiServer("Bearer second")
    seen: list[str | None] = []
    await credential.observe(lambda each: seen.append(each.authorization))
    assert seen == ["Bearer first"]
    write("second")
    assert await server.ask(credential) == 200
    assert server.seen == seen == ["Bearer first", "Bearer second"]
    (tmp_path / "config").unlink()
    server.accepted = "Bearer third"
    await asyncio.sleep(5)
    assert await server.ask(credential) == 401
    assert len(server.seen) == 3, "there is nothing to try again with"


@virtual_time
async def test_a_plugin_that_fails_from_the_beginning_runs_every_few_seconds(plugins: Plugins) -> None:
    credential = by_plugin()
    plugins.fails = True
    with pytest.raises(CredentialError, match="no network"):
        await credential.get()
    await asyncio.sleep(4.9)
    with pytest.raises(CredentialError, match="there is no credential"):
        await credential.get()
    assert plugins.runs == 1
    await asyncio.sleep(0.1)
    plugins.fails = False
    assert await header(credential) == "Bearer t2"


@virtual_time
async def test_a_plugin_runs_at_most_once_a_second(plugins: Plugins) -> None:
    plugins.lives = 0.5
    credential = by_plugin()
    assert await header(credential) == "Bearer t1"
    await asyncio.sleep(0.9)
    assert await header(credential) == "Bearer t1"
    await asyncio.sleep(0.1)
    assert await header(credential) == "Bearer t2"


def test_a_failure_of_which_nobody_waits_to_hear_is_no_error_of_the_loop(
    plugins: Plugins, caplog: pytest.LogCaptureFixture
) -> None:
    @virtual_time
    async def give_up() -> None:
        plugins.fails = True
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(by_plugin().get(), 0.5)
        await asyncio.sleep(5)
        gc.collect()

    give_up()
    assert [record for record in caplog.records if record.name == "asyncio"] == []


@virtual_time
async def test_a_plugin_that_gives_a_token_leaves_the_certificate(plugins: Plugins, pairs: list[KeyPair]) -> None:
    own = (pairs[0].certificate, pairs[0].key)
    credential = CurrentCredential(Login(SERVER, certificate=own, plugin=ExecPlugin(("login",), {})))
    given = await credential.get()
    assert (given.authorization, given.certificate) == ("Bearer t1", own)
    assert plugins.runs == 1


@virtual_time
async def test_a_plugin_runs_again_before_what_it_gave_expires(plugins: Plugins) -> None:
    credential = by_plugin()
    assert [await header(credential) for _ in range(3)] == ["Bearer t1"] * 3
    await asyncio.sleep(79)
    assert await header(credential) == "Bearer t1"
    await asyncio.sleep(1)
    assert await header(credential) == "Bearer t1", "it is still valid, and the plugin takes its time"
    await asyncio.sleep(2)
    assert await header(credential) == "Bearer t2"
    assert plugins.runs == 2


@virtual_time
async def test_a_plugin_runs_once_for_many_requests_that_are_refused(plugins: Plugins) -> None:
    plugins.lives = None
    credential, server = by_plugin(), ApiServer("Bearer t2")
    assert await asyncio.gather(*(server.ask(credential) for _ in range(5))) == [200] * 5
    assert plugins.runs == 2
    server.accepted = "Bearer t9"
    await asyncio.sleep(5)
    assert await asyncio.gather(*(server.ask(credential) for _ in range(5))) == [401] * 5
    assert plugins.runs == 3


@virtual_time
async def test_a_plugin_that_fails_costs_nothing_until_what_it_gave_expires(plugins: Plugins) -> None:
    credential = by_plugin()
    assert await header(credential) == "Bearer t1"
    plugins.fails = True
    await asyncio.sleep(90)
    assert await header(credential) == "Bearer t1"
    await asyncio.sleep(10)
    with pytest.raises(CredentialError, match="no network"):
        await header(credential)
    plugins.fails = False
    await asyncio.sleep(5)
    assert await header(credential) == f"Bearer t{plugins.runs}"
    await credential.close()


@virtual_time
async def test_a_request_that_gives_up_does_not_end_the_plugin(plugins: Plugins) -> None:
    credential = by_plugin()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(credential.get(), 0.5)
    assert await header(credential) == "Bearer t1"
    assert plugins.runs == 1


@virtual_time
async def test_the_end_of_the_process_waits_for_no_plugin(plugins: Plugins) -> None:
    credential = by_plugin()
    asking = asyncio.create_task(credential.get())
    await asyncio.sleep(0.5)
    began = asyncio.get_running_loop().time()
    await credential.close()
    assert asyncio.get_running_loop().time() == began
    assert plugins.runs == 1
    await asyncio.gather(asking, return_exceptions=True)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> list[KeyPair]:
    authority = Authority("it", tmp_path_factory.mktemp("authority") / "it")
    return [authority.issue(name, name) for name in ("old", "new")]


@virtual_time
async def test_a_certificate_that_is_replaced_on_disk_is_used_for_new_connections(
    tmp_path: Path, pairs: list[KeyPair]
) -> None:
    chain, key = tmp_path / "client.crt", tmp_path / "client.key"

    def install(pair: KeyPair) -> None:
        for source, target in ((pair.certificate, chain), (pair.key, key)):
            new = target.with_suffix(".new")
            new.write_bytes(source.read_bytes())
            new.replace(target)

    async def context() -> Any:
        request = Request()

        async def handler(_: aiohttp.ClientRequest) -> aiohttp.ClientResponse:
            return cast("aiohttp.ClientResponse", Response(200))

        await credential.sign(cast("aiohttp.ClientRequest", request), handler)
        return request._ssl  # noqa: SLF001

    install(pairs[0])
    credential = CurrentCredential(Login(SERVER, certificate=(chain, key)))
    first = await context()
    chain.write_bytes(pairs[1].certificate.read_bytes())
    await asyncio.sleep(60)
    assert await context() is first, "the key is still that of the old one"
    install(pairs[1])
    await asyncio.sleep(60)
    assert await context() is not first


def test_no_credential_shows_in_a_log() -> None:
    shown = repr(Credential(Login(SERVER, "Bearer secret"), "Bearer secret", ("secret", "secret")))
    assert "secret" not in shown
    assert json.dumps(shown)

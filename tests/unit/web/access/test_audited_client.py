"""A user's client acts with the user's credential, logs each write without it, and reaches only real paths."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.errors import ForbiddenError, NotFoundError
from provisioner_operator.web.access.audited_client import AuditedClient
from provisioner_operator.web.request_record import RequestRecord

SECRET = "Bearer very-secret"
JOB = "/apis/provisioner.dev/v1alpha1/namespaces/red/provisionerjobs/job-1"
WRITES: dict[str, Callable[[KubeClient], Awaitable[Any]]] = {
    "create": lambda client: client.create(JOB, {}),
    "patch": lambda client: client.json_patch(JOB, JsonPatch(tests=(("/a", 1),), sets=())),
    "merge": lambda client: client.merge_patch(JOB, {}),
    "delete": lambda client: client.delete(JOB, uid="1"),
}


class Echo:
    """A server that notes what it receives and gives one answer."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.received: list[tuple[str, str, str | None, str | None]] = []

    async def answer(self, request: web.Request) -> web.Response:
        headers = request.headers
        self.received.append((request.method, request.path, headers.get("Authorization"), headers.get("Audit-ID")))
        return web.json_response({"message": "no"}, status=self.status)


@asynccontextmanager
async def a_client(echo: Echo) -> AsyncIterator[AuditedClient]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", echo.answer)
    record = RequestRecord(id="request-1", user="ada")
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        yield AuditedClient(session, str(server.make_url("")), {"Authorization": SECRET}, record)


def send(echo: Echo, act: Callable[[KubeClient], Awaitable[Any]]) -> None:
    async def run() -> None:
        async with a_client(echo) as client:
            await act(client)

    asyncio.run(run())


@pytest.mark.parametrize("name", WRITES)
def test_a_write_is_logged_with_user_verb_object_result_and_request(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    send(Echo(), WRITES[name])

    logged = [vars(each) for each in caplog.records if each.name == "provisioner_operator.web.audit"]
    assert [(each["user"], each["object"], each["result"], each["request_id"]) for each in logged] == [
        ("ada", JOB, "ok", "request-1")
    ]
    assert logged[0]["verb"] == {"merge": "patch"}.get(name, name)


def test_a_refused_write_is_logged_as_such(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with pytest.raises(ForbiddenError):
        send(Echo(403), WRITES["patch"])

    assert [vars(each)["result"] for each in caplog.records if each.name.endswith("audit")] == ["refused with 403"]


def test_threat_19_no_log_has_the_credential(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for write in WRITES.values():
        send(Echo(), write)

    assert "very-secret" not in json.dumps([vars(each) for each in caplog.records], default=repr)


def test_reads_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    send(Echo(), lambda client: client.get(JOB))

    assert [each for each in caplog.records if each.name.endswith("audit")] == []


def test_each_request_has_the_users_credential_and_the_id_for_the_api_servers_own_records() -> None:
    echo = Echo()
    send(echo, lambda client: client.get(JOB))

    assert echo.received == [("GET", JOB, SECRET, "request-1")]


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/namespaces/../secrets",
        "/api/v1/namespaces/red/pods/..",
        "/api/v1/namespaces/./pods",
        "/api/v1/namespaces//pods",
        "/api/v1/namespaces/red%2fpods",
        "/api/v1/namespaces/red?watch=1",
        "/api/v1/namespaces/red#x",
        "/api/v1/namespaces/r\\d",
        "/api/v1/namespaces/red\r\n",
        "/api/v1/namespaces/räd",
        "/api/v1/namespaces/red/",
        "@evil.example/",
        "",
    ],
    ids=ascii,
)
def test_threat_16_a_forged_path_is_not_sent(path: str) -> None:
    echo = Echo()
    for act in (
        lambda client: client.get(path),
        lambda client: client.merge_patch(path, {}),
        lambda client: anext(client.watch(path, resource_version="1")),
        lambda client: anext(client.list_pages(path)),
    ):
        with pytest.raises(NotFoundError):
            send(echo, act)

    assert echo.received == []


@pytest.mark.parametrize(
    "path",
    [
        JOB,
        "/api/v1/namespaces/red/pods/daemon-0/log",
        "/apis/rbac.authorization.k8s.io/v1/clusterroles/system:basic-user",
        "/api/v1/namespaces/a.b/configmaps/x..y",
    ],
)
def test_every_path_of_the_api_can_be_sent(path: str) -> None:
    echo = Echo()
    send(echo, lambda client: client.get(path))

    assert [each[1] for each in echo.received] == [path]

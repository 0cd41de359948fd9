"""The index is out of date for as long as one of its collections cannot be followed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from provisioner_operator.kube.errors import NotFoundError, UnreachableError
from provisioner_operator.web.contact import ContactClient

JOBS, PODS, MANY = "/jobs", "/pods", "/many"
EVENT = b'{"type": "ADDED", "object": {}}\n'


class Server:
    """A server that can be down for one path, or breaks its watch in the middle of a line."""

    def __init__(self) -> None:
        self.down: set[str] = set()
        self.broken: set[str] = set()
        self.limits: list[int] = []
        """Objects that each page of the long list was asked for."""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.path in self.down:
            return web.json_response({"message": "etcd is gone"}, status=503)
        if request.path == "/missing":
            return web.json_response({"message": "no"}, status=404)
        if "watch" in request.query:
            return web.Response(body=EVENT + (EVENT[:10] if request.path in self.broken else b""))
        if request.path == MANY:
            limit = int(request.query["limit"])
            self.limits.append(limit)
            following = {"continue": "more"} if len(self.limits) < 4 else {}
            return web.json_response({"items": [{}] * limit, "metadata": following})
        return web.json_response({"items": [], "metadata": {}})


@asynccontextmanager
async def a_client(server: Server, time: list[float]) -> AsyncIterator[ContactClient]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.answer)
    async with TestServer(app) as running, aiohttp.ClientSession() as session:
        yield ContactClient(session, str(running.make_url("")), lambda: time[0])


async def watched(client: ContactClient, path: str) -> int:
    return len([event async for event in client.watch(path, resource_version="1")])


def test_while_everything_answers_nothing_is_out_of_date() -> None:
    async def run() -> None:
        time = [100.0]
        async with a_client(Server(), time) as client:
            await client.get(JOBS)
            assert await watched(client, JOBS) == 1
            time[0] = 500.0
            assert client.stale_seconds() == 0

    asyncio.run(run())


def test_a_broken_watch_is_out_of_date_until_its_collection_answers_again() -> None:
    async def run() -> None:
        server, time = Server(), [100.0]
        server.broken.add(JOBS)
        async with a_client(server, time) as client:
            with pytest.raises(UnreachableError):
                await watched(client, JOBS)
            time[0] = 107.0
            assert client.stale_seconds() == 7
            server.down.add(JOBS)
            with pytest.raises(UnreachableError):
                await client.get(JOBS)
            with pytest.raises(UnreachableError):
                assert [page async for page in client.list_pages(JOBS)]
            time[0] = 110.0
            assert client.stale_seconds() == 10
            server.down.clear()
            assert len([page async for page in client.list_pages(JOBS)]) == 1
            assert client.stale_seconds() == 0

    asyncio.run(run())


def test_one_collection_that_answers_does_not_speak_for_another() -> None:
    async def run() -> None:
        server, time = Server(), [100.0]
        server.down.add(JOBS)
        async with a_client(server, time) as client:
            with pytest.raises(UnreachableError):
                await client.get(JOBS)
            time[0] = 105.0
            await client.get(PODS)
            time[0] = 106.0
            assert client.stale_seconds() == 6

    asyncio.run(run())


def test_a_refusal_is_an_answer() -> None:
    async def run() -> None:
        async with a_client(Server(), time := [100.0]) as client:
            with pytest.raises(NotFoundError):
                await client.get("/missing")
            time[0] = 200.0
            assert client.stale_seconds() == 0

    asyncio.run(run())


def test_pages_are_so_small_that_requests_are_answered_in_between() -> None:
    async def run() -> None:
        server = Server()
        async with a_client(server, [0.0]) as client:
            pages = [page async for page in client.list_pages(MANY)]
        assert len(pages) == 4
        assert server.limits == [16, 64, 100, 100]

    asyncio.run(run())

"""Minimal client of an API server: requests are prepared in advance, answers are checked but not parsed.

It is the baseline for the product, and submits and cancels jobs for all subjects.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import aiohttp
import orjson

from provisioner_operator.kube.client import JSON_PATCH, MERGE_PATCH
from provisioner_operator.kube.connect import connect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from pathlib import Path

CONNECTIONS = 32
"""Concurrent requests of a burst: as many as the operator has writers."""
_OTHERS = 16
"""Connections for watches and reads beside a burst."""
_FIRST_ERROR = 400
_LONGEST_EVENT = 8 * 1024 * 1024


class BenchError(Exception):
    """Failure of a measurement; the message says what did not happen."""


@dataclass(frozen=True, slots=True)
class Request:
    """A prepared request."""

    method: str
    path: str
    body: bytes = b""
    content_type: str = "application/json"

    @classmethod
    def create(cls, collection: str, body: Mapping[str, Any]) -> Request:
        """Return a POST to a collection."""
        return cls("POST", collection, orjson.dumps(body))

    @classmethod
    def merge(cls, path: str, body: Mapping[str, Any]) -> Request:
        """Return a merge patch."""
        return cls("PATCH", path, orjson.dumps(body), MERGE_PATCH)

    @classmethod
    def conditional(cls, path: str, operations: Sequence[Mapping[str, Any]]) -> Request:
        """Return a JSON patch."""
        return cls("PATCH", path, orjson.dumps(operations), JSON_PATCH)


class Client:
    """Requests to one API server as one user."""

    def __init__(self, session: aiohttp.ClientSession, server: str) -> None:
        self._session = session
        self._server = server

    async def send(self, request: Request) -> float:
        """Send one request and return the seconds until its answer. Raises BenchError if it is rejected."""
        began = time.perf_counter()
        await self._exchange(request)
        return time.perf_counter() - began

    async def send_all(self, requests: Sequence[Request], connections: int = CONNECTIONS) -> list[float]:
        """Send many requests over this number of connections, as fast as they are answered; return the time of each."""
        sent = [0.0] * len(requests)
        waiting = iter(enumerate(requests))

        async def lane() -> None:
            for number, request in waiting:
                sent[number] = time.perf_counter()
                await self._exchange(request)

        async with asyncio.TaskGroup() as group:
            for _ in range(connections):
                group.create_task(lane())
        return sent

    async def ask(self, path: str, **parameters: str) -> dict[str, Any]:
        """Read one object or list."""
        answer: dict[str, Any] = orjson.loads(await self.read(path, **parameters))
        return answer

    async def read(self, path: str, **parameters: str) -> bytes:
        """Read whatever there is at a path."""
        async with self._session.get(self._server + path, params=parameters) as response:
            content = await response.read()
            _check(response.status, f"GET {path}", content)
        return content

    async def delete_all(self, collection: str, label_selector: str) -> None:
        """Delete every object of a collection that is selected."""
        body = orjson.dumps({"propagationPolicy": "Background"})
        await self._exchange(Request("DELETE", f"{collection}?{urlencode({'labelSelector': label_selector})}", body))

    async def any_of(self, collection: str, label_selector: str) -> bool:
        """Return whether the collection has a matching object."""
        return bool((await self.ask(collection, limit="1", labelSelector=label_selector))["items"])

    async def events(self, collection: str, version: str, **selector: str) -> AsyncIterator[dict[str, Any]]:
        """Yield the objects of a collection as they change after that version, without deletions."""
        parameters = {"watch": "true", "resourceVersion": version, **selector}
        timeout = aiohttp.ClientTimeout(total=None)
        async with self._session.get(
            self._server + collection, params=parameters, timeout=timeout, read_bufsize=_LONGEST_EVENT
        ) as response:
            if response.status >= _FIRST_ERROR:
                _check(response.status, f"watch of {collection}", await response.read())
            async for line in response.content:
                event = orjson.loads(line)
                if event["type"] == "ERROR":
                    raise BenchError(f"the watch of {collection} broke: {event['object']}")
                if event["type"] != "DELETED":
                    yield event["object"]

    async def _exchange(self, request: Request) -> None:
        async with self._session.request(
            request.method,
            self._server + request.path,
            data=request.body,
            headers={"Content-Type": request.content_type},
        ) as response:
            content = await response.read()
            _check(response.status, f"{request.method} {request.path}", content)


@asynccontextmanager
async def a_client(kubeconfig: Path) -> AsyncIterator[Client]:
    """Open a client for the user of a kubeconfig."""
    async with connect(kubeconfig, connections=CONNECTIONS + _OTHERS) as connection:
        yield Client(connection.session, connection.server)


def _check(status: int, what: str, content: bytes) -> None:
    if status >= _FIRST_ERROR:
        raise BenchError(f"{what} was rejected: HTTP {status} {content[:500].decode(errors='replace')}")

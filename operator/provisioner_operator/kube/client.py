"""A small client of an API server: get, list, watch, create, conditional patch, delete.

Made by `kube.connect`; shares its HTTP session with Kopf. It never retries: only the caller knows what a failed request
means, and decides by the error's type (`kube.errors`).
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import aiohttp

from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.kube import wire
from provisioner_operator.kube.errors import (
    BusyError,
    ForbiddenError,
    KubeError,
    UnreachableError,
    UnsettledError,
    error_of,
)
from provisioner_operator.kube.page_size import MOST_OBJECTS, PageSize
from provisioner_operator.kube.text_lines import lines_of

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"

REQUEST_TIMEOUT = aiohttp.ClientTimeout(total=20)
"""Longer than any answer of a working API server takes, shorter than the time after which a daemon stops its runs."""
WATCH_SECONDS = 300
"""The time after which the API server ends a watch and the client resumes it."""
WATCH_READ_SECONDS = 75
"""A watch sends a bookmark every minute; the connection of one that sends nothing for longer is dead."""
STREAM_CONNECT_SECONDS = 10
"""Time for a stream to get a connection, also if it has to wait for one that is free."""
SETTLING_SECONDS = 30.0
"""A starting API server answers before it has loaded the roles: for so long its 403 may not mean a missing right."""
_LONGEST_EVENT = 8 * 1024 * 1024
"""Bytes of one line of a watch: more than the largest object that an API server stores."""
_LONGEST_LINE = 128 * 1024
"""Bytes of one line of a text; the rest of it is left out. A daemon prints at most 8 KiB of a job's line, which JSON may escape."""
_UNREAD_BYTES = 64 * 1024
"""Bytes of a stream that may wait to be read, and as much again: so much does each slow reader cost."""


class KubeClient:
    """Sends requests to one API server. Bodies are the API's JSON; failures are raised as the errors of `kube.errors`."""

    most_objects = MOST_OBJECTS
    """Objects that it asks for in a page of a list, at most."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        server: str,
        headers: Mapping[str, str] | None = None,
        *,
        streams: aiohttp.ClientSession | None = None,
    ) -> None:
        """Share a session.

        Args:
            session: Sends the requests.
            server: Address of the API server.
            headers: Headers beside those that the session adds.
            streams: Session for watches and logs, if they must not take the connections of `session`.
        """
        self._session = session
        self._streams = streams or session
        self._server = server.rstrip("/")
        self._headers = dict(headers or {})
        self._unreachable_at = float("-inf")
        """The last time, on the event loop's clock, at which the API server could not be reached."""

    async def get(self, path: str, **parameters: str) -> dict[str, Any]:
        """Read one object, or one page of a list."""
        return await self._request("GET", path, parameters=parameters)

    async def create(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Create an object in a collection. Raises ConflictError if its name is taken."""
        return await self._request("POST", path, body=body)

    async def json_patch(self, path: str, patch: JsonPatch) -> dict[str, Any]:
        """Change an object by a JSON Patch (RFC 6902). Raises PreconditionFailedError if one of its tests fails."""
        return await self._request(
            "PATCH", path, body=patch.operations(), content_type=JSON_PATCH, has_tests=bool(patch.tests)
        )

    async def merge_patch(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Change an object by a merge patch (RFC 7386), which has no preconditions."""
        return await self._request("PATCH", path, body=body, content_type=MERGE_PATCH)

    async def delete(
        self, path: str, *, uid: str, resource_version: int | None = None, grace_seconds: int | None = None
    ) -> dict[str, Any] | None:
        """Delete the object of that uid and, if given, version. Raises ConflictError if the name's object is another.

        Returns None if it is gone; the object as it is now if something holds up its deletion, such as a finalizer.
        """
        preconditions: dict[str, str] = {"uid": uid}
        if resource_version is not None:
            preconditions["resourceVersion"] = str(resource_version)
        body: dict[str, Any] = {"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": preconditions}
        if grace_seconds is not None:
            body["gracePeriodSeconds"] = grace_seconds
        answer = await self._request("DELETE", path, body=body)
        return None if answer.get("kind") == "Status" else answer

    async def list_pages(
        self, path: str, *, field_selector: str | None = None, label_selector: str | None = None
    ) -> AsyncIterator[dict[str, Any]]:
        """Yield a list page by page, all of one snapshot; each page's metadata has the resourceVersion to watch from.

        A page is emptied when the next one is asked for, whoever still holds it: two would take twice the memory.
        """
        parameters: dict[str, str] = {}
        if field_selector:
            parameters["fieldSelector"] = field_selector
        if label_selector:
            parameters["labelSelector"] = label_selector
        page_size = PageSize(self.most_objects)
        while True:
            parameters["limit"] = str(page_size.objects)
            try:
                data = await self._send("GET", path, parameters=parameters, longest=page_size.longest)
            except _TooLongError:
                page_size.overflowed()
                continue
            page = self._decode("GET", path, data)
            page_size.fitted(len(page["items"]), len(data))
            # Not kept beside the page while the caller processes it.
            del data
            yield page
            following = page["metadata"].get("continue")
            page.clear()
            if not following:
                return
            parameters["continue"] = following

    async def watch(
        self, path: str, *, resource_version: str, field_selector: str | None = None
    ) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """Yield (type, object) for each change since `resource_version`, until the server ends the watch.

        Types are ADDED, MODIFIED, DELETED and BOOKMARK. Raises GoneError when the version is too old, and
        UnreachableError when the stream breaks or sends nothing, not even bookmarks.
        """
        parameters = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": resource_version,
            "timeoutSeconds": str(WATCH_SECONDS),
        }
        if field_selector:
            parameters["fieldSelector"] = field_selector
        try:
            async with self._stream(path, parameters, WATCH_READ_SECONDS) as response:
                async for line in lines_of(response.content.iter_any(), _LONGEST_EVENT):
                    event = wire.decode(line)  # a line that was cut off in the middle is a ValueError
                    if event["type"] == "ERROR":
                        raise error_of(int(event["object"].get("code", 500)), event["object"])
                    yield event["type"], event["object"]
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            self._unreachable_at = _now()
            raise UnreachableError(f"watch of {path}: {error!r}") from error

    async def lines(
        self, path: str, parameters: Mapping[str, str], *, quiet_seconds: float = WATCH_READ_SECONDS
    ) -> AsyncGenerator[str, None]:
        """Yield the lines of a text as they arrive, such as a Pod's log, until the server ends it.

        Raises UnreachableError when the stream breaks, or brings nothing for `quiet_seconds`: a server that died is silent.
        """
        try:
            async with self._stream(path, parameters, quiet_seconds) as response:
                async for line in lines_of(response.content.iter_any(), _LONGEST_LINE):
                    yield line.decode(errors="replace")
        except aiohttp.SocketTimeoutError as error:
            raise UnreachableError(f"{path} brought nothing for {quiet_seconds:.0f} s") from error
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            self._unreachable_at = _now()
            raise UnreachableError(f"GET {path}: {error!r}") from error

    def _url(self, path: str) -> str:
        return self._server + path

    @asynccontextmanager
    async def _stream(
        self, path: str, parameters: Mapping[str, str], quiet_seconds: float
    ) -> AsyncGenerator[aiohttp.ClientResponse, None]:
        """Open an answer without end; a read of it fails after `quiet_seconds` without data."""
        timeout = aiohttp.ClientTimeout(total=None, connect=STREAM_CONNECT_SECONDS, sock_read=quiet_seconds)
        async with self._streams.get(
            self._url(path), params=parameters, headers=self._headers, timeout=timeout, read_bufsize=_UNREAD_BYTES
        ) as response:
            if response.status >= HTTPStatus.BAD_REQUEST:
                raise await self._error_of(response)
            yield response

    async def _error_of(self, response: aiohttp.ClientResponse, *, has_tests: bool = False) -> KubeError:
        retry_after = response.headers.get("Retry-After", "")
        error = error_of(response.status, await _status_of(response), retry_after, has_tests=has_tests)
        if isinstance(error, BusyError):
            return error
        if isinstance(error, UnreachableError):
            self._unreachable_at = _now()
        elif isinstance(error, ForbiddenError) and _now() - self._unreachable_at < SETTLING_SECONDS:
            return UnsettledError(f"{error}, perhaps only because the API server has just started")
        return error

    async def _request(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        content_type: str = "application/json",
        parameters: Mapping[str, str] | None = None,
        has_tests: bool = False,
    ) -> dict[str, Any]:
        data = await self._send(
            method, path, body=body, content_type=content_type, parameters=parameters, has_tests=has_tests
        )
        return self._decode(method, path, data)

    async def _send(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        content_type: str = "application/json",
        parameters: Mapping[str, str] | None = None,
        has_tests: bool = False,
        longest: int | None = None,
    ) -> bytes:
        """Send a request and return the answer's text. Raises _TooLongError if it is longer than `longest` bytes."""
        data = None if body is None else wire.encode(body)
        headers = self._headers | ({"Content-Type": content_type} if data is not None else {})
        try:
            async with self._session.request(
                method, self._url(path), data=data, headers=headers, params=parameters, timeout=REQUEST_TIMEOUT
            ) as response:
                if response.status >= HTTPStatus.BAD_REQUEST:
                    raise await self._error_of(response, has_tests=has_tests)
                return await (response.read() if longest is None else _read_at_most(longest, response))
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            self._unreachable_at = _now()
            raise UnreachableError(f"{method} {path}: {error!r}") from error

    def _decode(self, method: str, path: str, data: bytes) -> dict[str, Any]:
        try:
            result: dict[str, Any] = wire.decode(data)
        except ValueError as error:
            self._unreachable_at = _now()
            raise UnreachableError(f"{method} {path}: {error!r}") from error
        return result


class _TooLongError(Exception):
    """Page that is longer than expected."""


async def _read_at_most(longest: int, response: aiohttp.ClientResponse) -> bytes:
    data = bytearray()
    async for part in response.content.iter_any():
        data += part
        if len(data) > longest:
            raise _TooLongError
    return bytes(data)


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _status_of(response: aiohttp.ClientResponse) -> dict[str, Any]:
    """Read the API server's Status object; the text of a proxy in between is returned in the form of one."""
    data = await response.read()
    try:
        status = wire.decode(data)
    except ValueError:
        status = None
    return status if isinstance(status, dict) else {"message": data.decode(errors="replace")[:500]}

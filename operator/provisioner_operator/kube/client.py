"""One small client of an API server, for what is asked often: list, watch and conditional patch.

Made by `kube.connect`; shares its HTTP session with Kopf. It retries nothing: what a failed write means is known to
its caller alone, who reads the error's type.
"""

from collections.abc import AsyncIterator, Mapping
from time import monotonic
from typing import Any

import aiohttp

from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.kube import wire
from provisioner_operator.kube.errors import BusyError, ForbiddenError, KubeError, UnreachableError, error_of

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"

REQUEST_TIMEOUT = aiohttp.ClientTimeout(total=20)
"""Above the API server's slowest honest answer, below any daemon's fence."""
PAGE_SIZE = 500
"""Objects a page, as kubectl asks for."""
WATCH_SECONDS = 300
"""How long the API server keeps a watch open before the client comes again."""
BOOKMARK_SILENCE_SECONDS = 75
"""A watch sends a bookmark each minute; one that is silent for longer is dead."""
SETTLING_SECONDS = 30.0
"""An API server that has just come up refuses what it will allow: it answers before it has read the roles."""
_LONGEST_EVENT = 8 * 1024 * 1024
"""Bytes of one watch line: above the largest object an API server takes."""


class KubeClient:
    """Requests to one API server. Bodies are the API's JSON; failures are the errors of `kube.errors`."""

    def __init__(self, session: aiohttp.ClientSession, server: str) -> None:
        self._session = session
        self._server = server.rstrip("/")
        self._away_at = float("-inf")

    async def get(self, path: str, **parameters: str) -> dict[str, Any]:
        """One object, or one page of a list."""
        return await self._request("GET", path, parameters=parameters)

    async def create(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """POST to a collection. ConflictError if it exists."""
        return await self._request("POST", path, body=body)

    async def json_patch(self, path: str, patch: JsonPatch) -> dict[str, Any]:
        """Change an object by RFC 6902. PreconditionFailedError if one of its tests fails."""
        return await self._request(
            "PATCH", path, body=patch.operations(), content_type=JSON_PATCH, has_tests=bool(patch.tests)
        )

    async def merge_patch(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """RFC 7386."""
        return await self._request("PATCH", path, body=body, content_type=MERGE_PATCH)

    async def delete(self, path: str, *, uid: str, resource_version: int | None = None) -> None:
        """Delete that very object. ConflictError if it has changed, or another bears its name."""
        preconditions: dict[str, str] = {"uid": uid}
        if resource_version is not None:
            preconditions["resourceVersion"] = str(resource_version)
        body = {"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": preconditions}
        await self._request("DELETE", path, body=body)

    async def list_pages(
        self, path: str, *, field_selector: str | None = None, label_selector: str | None = None
    ) -> AsyncIterator[dict[str, Any]]:
        """A list in pages of consistent content; each page's metadata has the resourceVersion to watch from."""
        parameters = {"limit": str(PAGE_SIZE)}
        if field_selector:
            parameters["fieldSelector"] = field_selector
        if label_selector:
            parameters["labelSelector"] = label_selector
        while True:
            page = await self._request("GET", path, parameters=parameters)
            yield page
            following = page["metadata"].get("continue")
            if not following:
                return
            parameters["continue"] = following

    async def watch(
        self, path: str, *, resource_version: str, field_selector: str | None = None
    ) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """(type, object) of each change since `resource_version`, until the server ends the watch.

        Types are ADDED, MODIFIED, DELETED and BOOKMARK. GoneError when the version is too old; UnreachableError when
        the stream breaks or falls silent.
        """
        parameters = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": resource_version,
            "timeoutSeconds": str(WATCH_SECONDS),
        }
        if field_selector:
            parameters["fieldSelector"] = field_selector
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=BOOKMARK_SILENCE_SECONDS)
        try:
            async with self._session.get(
                self._server + path, params=parameters, timeout=timeout, read_bufsize=_LONGEST_EVENT
            ) as response:
                if response.status >= 400:  # noqa: PLR2004 - HTTP's first error
                    raise await self._error_of(response)
                async for line in response.content:
                    event = wire.decode(line)
                    if event["type"] == "ERROR":
                        raise error_of(int(event["object"].get("code", 500)), event["object"])
                    yield event["type"], event["object"]
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            self._away_at = monotonic()
            raise UnreachableError(f"watch of {path}: {error!r}") from error

    async def _error_of(self, response: aiohttp.ClientResponse, *, has_tests: bool = False) -> KubeError:
        retry_after = response.headers.get("Retry-After", "")
        error = error_of(response.status, await _status_of(response), retry_after, has_tests=has_tests)
        if isinstance(error, BusyError):
            return error
        if isinstance(error, UnreachableError):
            self._away_at = monotonic()
        elif isinstance(error, ForbiddenError) and monotonic() - self._away_at < SETTLING_SECONDS:
            return UnreachableError(f"{error}, perhaps only because the API server has just come up")
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
        data = None if body is None else wire.encode(body)
        headers = {"Content-Type": content_type} if data is not None else {}
        try:
            async with self._session.request(
                method, self._server + path, data=data, headers=headers, params=parameters, timeout=REQUEST_TIMEOUT
            ) as response:
                if response.status >= 400:  # noqa: PLR2004 - HTTP's first error
                    raise await self._error_of(response, has_tests=has_tests)
                result: dict[str, Any] = wire.decode(await response.read())
                return result
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            self._away_at = monotonic()
            raise UnreachableError(f"{method} {path}: {error!r}") from error


async def _status_of(response: aiohttp.ClientResponse) -> dict[str, Any]:
    """The API server's Status object; text of whoever else answered, as one."""
    data = await response.read()
    try:
        status = wire.decode(data)
    except ValueError:
        status = None
    return status if isinstance(status, dict) else {"message": data.decode(errors="replace")[:500]}

"""The user's client of the API server: logs each write with user, verb, object, result and request id."""

import logging
import re
from collections.abc import Awaitable, Mapping
from http import HTTPStatus
from typing import Any, TypeVar

import aiohttp
from typing_extensions import override

from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.errors import ApiError, KubeError, NotFoundError
from provisioner_operator.web.request_record import RequestRecord

_logger = logging.getLogger("provisioner_operator.web.audit")

_PATH = re.compile(r"(/(?!\.{1,2}(/|$))[A-Za-z0-9._:-]+)+", re.ASCII)
"""Names of kinds and objects, none of which leads up. Routes check names too; a path that was forged ends here."""
_Result = TypeVar("_Result")


class AuditedClient(KubeClient):
    """Acts with a user's credential, which it never logs. The API server's audit records have the same request id."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        server: str,
        credential: Mapping[str, str],
        record: RequestRecord,
        *,
        streams: aiohttp.ClientSession | None = None,
    ) -> None:
        super().__init__(session, server, headers={**credential, "Audit-ID": record.id}, streams=streams)
        self._record = record

    @override
    async def create(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return await self._audited("create", path, super().create(path, body))

    @override
    async def json_patch(self, path: str, patch: JsonPatch) -> dict[str, Any]:
        return await self._audited("patch", path, super().json_patch(path, patch))

    @override
    async def merge_patch(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return await self._audited("patch", path, super().merge_patch(path, body))

    @override
    async def delete(
        self, path: str, *, uid: str, resource_version: int | None = None, grace_seconds: int | None = None
    ) -> dict[str, Any] | None:
        deletion = super().delete(path, uid=uid, resource_version=resource_version, grace_seconds=grace_seconds)
        return await self._audited("delete", path, deletion)

    @override
    def _url(self, path: str) -> str:
        """Refuse a path with a name that no object has. Raises NotFoundError."""
        if not _PATH.fullmatch(path):
            raise NotFoundError(HTTPStatus.NOT_FOUND, "no object has such a name")
        return super()._url(path)

    async def _audited(self, verb: str, path: str, request: Awaitable[_Result]) -> _Result:
        result = "interrupted"
        try:
            answer = await request
            result = "ok"
        except ApiError as error:
            result = f"refused with {error.status}"
            raise
        except KubeError as error:
            result = f"failed: {type(error).__name__}"
            raise
        else:
            return answer
        finally:
            fields = {"user": self._record.user, "verb": verb, "object": path, "result": result}
            _logger.info("%s %s: %s", verb, path, result, extra={**fields, "request_id": self._record.id})

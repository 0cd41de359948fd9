"""Answers in JSON, with an ETag that follows the version of the index."""

import hashlib
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import Response

JSON = "application/json"


@lru_cache(maxsize=64)
def _adapter(shape: Any) -> TypeAdapter[Any]:
    return TypeAdapter(shape)


def json_of(shape: Any, value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with a value of a shape."""
    content = _adapter(shape).dump_json(value)
    return Response(content, status, dict(headers or {}), media_type=JSON)


def etag(request: Request, version: int, *visible: Collection[str]) -> str:
    """Return the tag of an answer: it depends on the index, on the namespaces of each kind that the user may see, and on the request."""
    seen = "\n".join((request.url.path, request.url.query, *(" ".join(sorted(each)) for each in visible)))
    return f'W/"{version}-{hashlib.sha256(seen.encode()).hexdigest()[:16]}"'


def not_modified(request: Request, tag: str) -> Response | None:
    """Return the answer without content if the client has the present one."""
    known = {each.strip() for each in request.headers.get("if-none-match", "").split(",")}
    return Response(status_code=304, headers={"ETag": tag}) if tag in known else None

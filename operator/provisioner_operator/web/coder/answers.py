"""Answers in JSON, with an ETag that follows the version of the index."""

import hashlib
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any
from uuid import uuid4

from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import Response

JSON = "application/json"
_VALID_SECONDS = 10
"""Time after which a tag of an answer that depends on time expires."""


@lru_cache(maxsize=64)
def _adapter(shape: Any) -> TypeAdapter[Any]:
    return TypeAdapter(shape)


def json_of(shape: Any, value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with a value of a shape."""
    content = _adapter(shape).dump_json(value)
    return Response(content, status, dict(headers or {}), media_type=JSON)


def process_of(request: Request) -> str:
    """Return the name of this process: another one, a replica or a later start, counts the versions of its index anew."""
    state = request.app.state
    if not hasattr(state, "process_id"):
        state.process_id = uuid4().hex[:12]
    return str(state.process_id)


def etag(request: Request, version: int, *visible: Collection[str], now: float | None = None) -> str:
    """Return the tag of an answer: it depends on the index, on the namespaces of each kind that the user may see, and on the request.

    Where the request selects by age, the answer changes without any change of the index: `now` makes its tag expire.
    """
    time = "" if now is None else str(int(now // _VALID_SECONDS))
    parts = (process_of(request), time, request.url.path, request.url.query)
    seen = "\n".join((*parts, *(" ".join(sorted(each)) for each in visible)))
    return f'W/"{version}-{hashlib.sha256(seen.encode()).hexdigest()[:16]}"'


def not_modified(request: Request, tag: str) -> Response | None:
    """Return the answer without content if the client has the present one."""
    known = {each.strip() for each in request.headers.get("if-none-match", "").split(",")}
    return Response(status_code=304, headers={"ETag": tag}) if tag in known else None

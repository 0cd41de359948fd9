"""Answers in JSON, with an ETag that follows the versions of the namespaces that the user may see."""

import hashlib
import secrets
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any
from uuid import uuid4

from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import Response

from provisioner_operator.web.dependencies import server_state
from provisioner_operator.web.index.cluster_index import ClusterIndex

JSON = "application/json"
_VALID_SECONDS = 10
"""Time after which a tag of an answer that depends on time expires."""
_KEY = secrets.token_bytes(32)
"""Of this process, so that a tag tells nothing of how often something changed, and is not taken for that of another."""


@lru_cache(maxsize=64)
def _adapter(shape: Any) -> TypeAdapter[Any]:
    return TypeAdapter(shape)


def json_of(shape: Any, value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with a value of a shape."""
    content = _adapter(shape).dump_json(value)
    return Response(content, status, dict(headers or {}), media_type=JSON)


def process_of(request: Request) -> str:
    """Return the name of this process: another one, a replica or a later start, counts the versions of its index anew."""
    state = server_state(request)
    if not hasattr(state, "process_id"):
        state.process_id = uuid4().hex[:12]
    return str(state.process_id)


def etag(
    request: Request, index: ClusterIndex, *visible: Collection[str], user: str = "", now: float | None = None
) -> str:
    """Return the tag of an answer, which may depend on nothing else.

    Args:
        request: The request.
        index: The index that is asked.
        visible: Namespaces that the user may see, for each kind that is in the answer.
        user: Name of the user, if the same request means something else to another.
        now: The present time, if the request selects by age: such an answer changes without any change of the index.
    """
    time = None if now is None else now // _VALID_SECONDS
    versions = [sorted((each, index.version_of(each)) for each in namespaces) for namespaces in visible]
    seen = repr((process_of(request), time, request.url.path, request.url.query, user, versions))
    return f'W/"{hashlib.blake2b(seen.encode(), key=_KEY, digest_size=16).hexdigest()}"'


def link_to_next(request: Request, **parameters: str | int) -> dict[str, str]:
    """Return the header that leads to the next page of a list, which differs from the request by these parameters."""
    following = request.url.include_query_params(**parameters)
    return {"Link": f'<{following.path}?{following.query}>; rel="next"'}


def not_modified(request: Request, tag: str) -> Response | None:
    """Return the answer without content if the client has the present one."""
    known = {each.strip() for each in request.headers.get("if-none-match", "").split(",")}
    return Response(status_code=304, headers={"ETag": tag}) if tag in known else None

"""Style sheet, script and pictures. Their addresses contain a digest, so browsers keep them for good."""

from http import HTTPStatus

from fastapi import APIRouter
from starlette.responses import Response

from provisioner_operator.web.page.rendering import MEDIA_TYPES, static_digest, static_files
from provisioner_operator.web.problems import Problem

router = APIRouter()

_FOREVER = "public, max-age=31536000, immutable"


@router.get("/assets/{digest}/{name}")
async def static_file(digest: str, name: str) -> Response:
    """Return a static file; an address of an older version leads to the present one, which is not kept."""
    content = static_files().get(name)
    if content is None:
        raise Problem(HTTPStatus.NOT_FOUND, "There is no such file.")
    caching = _FOREVER if digest == static_digest() else "no-cache"
    media_type = f"{MEDIA_TYPES[name.rpartition('.')[2]]}; charset=utf-8"
    return Response(content, media_type=media_type, headers={"Cache-Control": caching})

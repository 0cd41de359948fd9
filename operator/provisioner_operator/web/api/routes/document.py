"""Route of the OpenAPI document, which needs no credential: it describes the API and no data."""

from functools import lru_cache

from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import Response

from provisioner_operator.kube import wire
from provisioner_operator.web.api.document import api_document

router = APIRouter(tags=["Deployment"])


@router.get("/openapi.json", response_class=Response, responses={200: {"content": {"application/json": {}}}})
async def get_document(request: Request) -> Response:
    """Return the OpenAPI document of both APIs."""
    return Response(_encoded(request.app), media_type="application/json")


@lru_cache(maxsize=1)
def _encoded(app: FastAPI) -> bytes:
    # Making it takes half a second, and anybody may ask for it.
    return wire.encode(api_document(app))

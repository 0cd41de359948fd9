"""Route of the OpenAPI document, which needs no credential: it describes the API and no data."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from provisioner_operator.kube import wire
from provisioner_operator.web.api.document import api_document

router = APIRouter(tags=["Deployment"])


@router.get("/openapi.json", response_class=Response, responses={200: {"content": {"application/json": {}}}})
async def get_document(request: Request) -> Response:
    """Return the OpenAPI document of both APIs."""
    return Response(wire.encode(api_document(request.app)), media_type="application/json")

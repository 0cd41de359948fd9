"""Probes for kubelet: whether the process works, and whether it has listed everything once."""

from http import HTTPStatus

from fastapi import APIRouter
from starlette.responses import PlainTextResponse, Response

from provisioner_operator.web.dependencies import Context
from provisioner_operator.web.index.cluster_index import ClusterIndex

router = APIRouter(include_in_schema=False)


def alive() -> Response:
    """Answer: a process whose event loop stands still does not."""
    return PlainTextResponse("ok\n")


def ready(index: ClusterIndex) -> Response:
    """Answer 503 until each kind has been listed; while the API server is away later, the last state is still shown."""
    if index.is_ready:
        return PlainTextResponse("ok\n")
    return PlainTextResponse("loading\n", HTTPStatus.SERVICE_UNAVAILABLE)


@router.get("/healthz")
async def healthz() -> Response:
    """Return whether the process works."""
    return alive()


@router.get("/readyz")
async def readyz(context: Context) -> Response:
    """Return whether the index is filled."""
    return ready(context.index)

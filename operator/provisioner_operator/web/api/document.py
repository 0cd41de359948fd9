"""The OpenAPI document of both APIs: that of the routes, with what they stream."""

from typing import Any

from fastapi import FastAPI

from provisioner_operator.web.api.models import ChangeEvent
from provisioner_operator.web.openapi import document_of

_STREAMED = (ChangeEvent,)
"""Shapes that stand in no route's answer."""


def api_document(app: FastAPI) -> dict[str, Any]:
    """Return the document of an application that has both APIs."""
    return document_of(app, _STREAMED)

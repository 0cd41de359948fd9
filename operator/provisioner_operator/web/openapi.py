"""The OpenAPI document of the API, made from its routes and models. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from provisioner_operator.web.coder.models.answers import Answer

API_PREFIX = "/api/"
_METHODS = frozenset({"get", "put", "post", "patch", "delete"})
_OF_THE_FRAMEWORK = frozenset({"HTTPValidationError", "ValidationError"})
"""Schemas of answers that the server does not give: every failure is an Answer."""
_REFERENCE = "#/components/schemas/{model}"
_PROBLEM = {
    "title": "Problem",
    "description": "A failure as RFC 9457 describes it, for clients that accept `application/problem+json`.",
    "type": "object",
    "required": ["type", "title", "status", "instance"],
    "properties": {
        "type": {"type": "string", "description": "Always `about:blank`."},
        "title": {"type": "string", "description": "A sentence for people."},
        "status": {"type": "integer", "description": "The HTTP status."},
        "instance": {"type": "string", "description": "URN of the request's id, as in the header X-Request-Id."},
        "detail": {"type": "string", "description": "The cause."},
        "errors": {
            "type": "array",
            "description": "Fields or parameters of the request that are not valid.",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}
_DESCRIPTION = (
    "Provisioner jobs of a Kubernetes cluster: a subset of Coder's API under `/api/v2`, for its clients, and this product's own "
    "under `/api/provisioner/v1`. An organization is a namespace."
)


def document_of(app: FastAPI, shapes: Iterable[type[BaseModel]] = ()) -> dict[str, Any]:
    """Return the document of an application's API, with shapes that stand in no route's answer."""
    document = get_openapi(title="Provisioner jobs", version=app.version, description=_DESCRIPTION, routes=app.routes)
    document["paths"] = {path: item for path, item in document["paths"].items() if path.startswith(API_PREFIX)}
    schemas: dict[str, Any] = document["components"]["schemas"]
    for name in _OF_THE_FRAMEWORK:
        schemas.pop(name, None)
    answers: list[type[BaseModel]] = [Answer, *shapes]
    for shape in answers:
        schema = shape.model_json_schema(mode="serialization", ref_template=_REFERENCE)
        schemas |= {**schema.pop("$defs", {}), shape.__name__: schema}
    schemas["Problem"] = _PROBLEM
    document["components"]["securitySchemes"] = {
        "token": {
            "type": "apiKey",
            "in": "header",
            "name": "Coder-Session-Token",
            "description": "A token of the cluster, such as `kubectl create token` prints.",
        },
        "bearer": {"type": "http", "scheme": "bearer", "description": "The same token."},
    }
    document["security"] = [{"token": []}, {"bearer": []}]
    for path, operation in operations(document):
        operation["responses"].pop("422", None)
        operation["responses"]["default"] = _failure(path)
    return document


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the path and the description of each operation."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in _METHODS:
                yield path, operation


def _failure(path: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Answer"}}}
    if not path.startswith("/api/v2/"):
        content["application/problem+json"] = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {"description": "Failure", "content": content}

"""Refuse query parameters that a route does not know, as Coder does: a filter that is misspelled must not select everything."""

from collections.abc import Iterator

from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.requests import Request

from provisioner_operator.web.problems import Problem

MESSAGE = "Invalid query parameters."


async def refuse_unknown_parameters(request: Request) -> None:
    """Raise Problem (400) if the query has a parameter that the route does not declare."""
    route = request.scope.get("route")
    known = parameters_of(route) if isinstance(route, APIRoute) else frozenset[str]()
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        found = [(name, f"Query param {name!r} is not a valid query param") for name in unknown]
        raise Problem(400, MESSAGE, validations=found)


def parameters_of(route: APIRoute) -> frozenset[str]:
    """Return the names of the query parameters that a route declares."""
    return frozenset(_names(route))


def _names(route: APIRoute) -> Iterator[str]:
    for field in route.dependant.query_params:
        declared = field.field_info.annotation
        if isinstance(declared, type) and issubclass(declared, BaseModel):
            yield from declared.model_fields
        else:
            yield field.alias

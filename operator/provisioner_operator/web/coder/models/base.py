"""Base of the shapes: snake_case names, values that Go decodes, optional fields left out."""

from datetime import UTC, datetime
from typing import Annotated, TypeVar
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.config import JsonDict
from pydantic.json_schema import SkipJsonSchema

NIL = UUID(int=0)
"""UUID of what does not exist; Go has no other for a field that is not optional."""
ZERO_TIME = datetime(1, 1, 1, tzinfo=UTC)
"""Time that was never recorded: Go's zero value."""

Int32 = Annotated[int, Field(ge=-(2**31), lt=2**31)]
Int64 = Annotated[int, Field(ge=-(2**63), lt=2**63)]
Time = AwareDatetime
"""RFC 3339, in UTC, with `Z`."""


def _is_none(value: object) -> bool:
    return value is None


def _without_default(schema: JsonDict) -> None:
    """Remove the default, null, which the field never has in an answer."""
    schema.pop("default", None)


_T = TypeVar("_T")
Omitted = Annotated[_T | SkipJsonSchema[None], Field(exclude_if=_is_none, json_schema_extra=_without_default)]
"""Field that is left out if it has no value (Go's `omitempty`), and never null."""


class Shape(BaseModel):
    """An object of Coder's API."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


def time_of(seconds: float) -> datetime:
    """Convert seconds since the epoch."""
    return datetime.fromtimestamp(seconds, UTC)

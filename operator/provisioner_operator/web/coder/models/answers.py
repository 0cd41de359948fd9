"""Answers that carry no object: a message, or a message with the fields that it is about."""

from provisioner_operator.web.coder.models.base import Omitted, Shape


class FieldError(Shape):
    """A field or parameter of the request that is not valid."""

    field: str
    """Its name."""
    detail: str
    """The reason."""


class Answer(Shape):
    """A message, of a request that failed or that has no other answer."""

    message: str
    """A sentence for people."""
    detail: Omitted[str] = None
    """The cause, for whoever looks into it."""
    validations: Omitted[list[FieldError]] = None
    """Fields or parameters of the request that are not valid."""

"""The header `Idempotency-Key` of requests that make something."""

from typing import Annotated

from fastapi import Header

IdempotencyKey = Annotated[str, Header(pattern=r"^[\x21-\x7e]{0,128}$")]
"""A key chosen by the client: a request with that of an earlier one finds what this one made."""

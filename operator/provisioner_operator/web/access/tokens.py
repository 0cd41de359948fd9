"""Tokens of users: their characters, their digest and their expiry. Pure; a token's text never appears in a message."""

import base64
import binascii
import hashlib
import json
import re
from dataclasses import dataclass, field
from functools import cached_property

LONGEST_TOKEN = 11_400
"""Characters of the longest token that fits into three cookies; tokens of clusters have one or two thousand."""
_CHARACTERS = re.compile(r"[A-Za-z0-9\-._~+/]+=*", re.ASCII)
"""The form of a bearer token (RFC 6750, section 2.1), which excludes line ends and every other separator."""


class MalformedTokenError(ValueError):
    """The text cannot be a token; the message does not quote it."""


@dataclass(frozen=True)
class Token:
    """A bearer token. Its text is hidden from representations, so that no log shows it by accident."""

    value: str = field(repr=False)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the token: what caches and limits know it by."""
        return hashlib.sha256(self.value.encode("ascii")).hexdigest()

    @cached_property
    def expires(self) -> float | None:
        """Time at which the token expires by its own claim, in seconds since the epoch; None if it does not say.

        The claim is not verified: the API server does that for each request. It only ends streams in time.
        """
        parts = self.value.split(".")
        if len(parts) != _PARTS_OF_JWT:
            return None
        try:
            claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
            return float(claims["exp"])
        except (binascii.Error, ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return None


_PARTS_OF_JWT = 3


def parse_token(text: str) -> Token:
    """Return a token after a check of its characters and its length. Raises MalformedTokenError."""
    if len(text) > LONGEST_TOKEN:
        raise MalformedTokenError(f"A token of more than {LONGEST_TOKEN} characters is not accepted")
    if not _CHARACTERS.fullmatch(text):
        raise MalformedTokenError("The token is empty or has characters that no token has")
    return Token(text)

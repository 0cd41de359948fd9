"""The session of a server for one user on loopback: a one-time code in the printed address becomes a cookie.

Other users of the machine reach the port too, so every request needs the cookie.
"""

import hmac
import secrets

from starlette.datastructures import Headers

from provisioner_operator.web.access.authentication import token_of
from provisioner_operator.web.access.tokens import MalformedTokenError

_RANDOM_BYTES = 32


class LocalSession:
    """The secret of one session, and the code that leads to it once."""

    def __init__(self) -> None:
        self.secret = secrets.token_urlsafe(_RANDOM_BYTES)
        """Sent with every request, as a user's token is."""
        self.code = secrets.token_urlsafe(_RANDOM_BYTES)
        """For the printed address."""
        self._is_code_unused = True

    def redeem(self, code: str) -> bool:
        """Return whether the code is the right one, for the first time."""
        if not self._is_code_unused or not _is_same(code, self.code):
            return False
        self._is_code_unused = False
        return True

    def admits(self, headers: Headers) -> bool:
        """Return whether a request is of this session."""
        try:
            token = token_of(headers)
        except MalformedTokenError:
            return False
        return token is not None and _is_same(token.value, self.secret)


def _is_same(given: str, known: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), known.encode())

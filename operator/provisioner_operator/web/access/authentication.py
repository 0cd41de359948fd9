"""Find the user who sends a request, by the user's own token: header, bearer, cookie, in this order.

Nothing else identifies a user: neither headers that a proxy might add about a user, nor query parameters, nor
impersonation. The server's own account never stands in for a user.
"""

from collections.abc import Callable, Collection
from http import HTTPStatus
from typing import Protocol

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection, cookie_parser

from provisioner_operator.core.model.instant import Instant
from provisioner_operator.kube.connect import UserConnection
from provisioner_operator.web.access.cached_reviews import CachedReviews
from provisioner_operator.web.access.caller import Caller
from provisioner_operator.web.access.callers import Callers, Credential
from provisioner_operator.web.access.cookies import CookieJar
from provisioner_operator.web.access.hosts import is_loopback
from provisioner_operator.web.access.rate_limit import RateLimit
from provisioner_operator.web.access.tokens import MalformedTokenError, Token, parse_token
from provisioner_operator.web.problems import Problem, unauthenticated

SESSION_TOKEN_HEADER = "Coder-Session-Token"  # noqa: S105 - the name of a header
"""The header of Coder's clients."""
_BEARER = "bearer "


class Authenticator(Protocol):
    """Finds the user who sends a request."""

    async def caller(self, connection: HTTPConnection) -> Caller:
        """Return the user. Raises Problem (401, 400) and KubeError."""

    async def caller_with(self, token: Token, connection: HTTPConnection) -> Caller:
        """Return the user of a token, for a login. Raises Problem (401) and KubeError."""


def token_of(headers: Headers) -> Token | None:
    """Return the token of a request, or None if there is none. Raises MalformedTokenError."""
    text = _header_text(headers)
    if text is None:
        text = cookie_jar(headers).read(cookie_parser(headers.get("cookie", "")))
    return None if text is None else parse_token(text)


def header_token(headers: Headers) -> Token | None:
    """Return the token of a request whose client knows it; None if only a cookie has one. Raises MalformedTokenError."""
    text = _header_text(headers)
    return None if text is None else parse_token(text)


def _header_text(headers: Headers) -> str | None:
    text = headers.get(SESSION_TOKEN_HEADER)
    if text is not None:
        return text
    authorization = headers.get("authorization", "")
    return authorization[len(_BEARER) :].strip(" ") if authorization.lower().startswith(_BEARER) else None


def cookie_jar(headers: Headers) -> CookieJar:
    """Return the cookies to use with a browser: TLS is a must, except on loopback."""
    return CookieJar(secure=not is_loopback(headers.get("host", "")))


class TokenAuthenticator:
    """Finds users by their tokens, which the API server reviews."""

    def __init__(
        self,
        connection: UserConnection,
        reviews: CachedReviews,
        *,
        namespaces: Callable[[], Collection[str]],
        clock: Callable[[], Instant],
        requests: RateLimit,
    ) -> None:
        """Take the means to ask about users.

        Args:
            connection: Connections to the API server without any credential.
            reviews: Answers about users.
            namespaces: Returns the names of all namespaces.
            clock: Returns the present time.
            requests: The limit for each user, who may have many tokens.
        """
        self._callers = Callers(connection.session, connection.server, reviews, namespaces, streams=connection.streams)
        self._clock = clock
        self._requests = requests

    async def caller(self, connection: HTTPConnection) -> Caller:
        """Return the user whose token a request carries. Raises Problem (401, 400, 429) and KubeError."""
        try:
            token = token_of(connection.headers)
        except MalformedTokenError as error:
            raise Problem(HTTPStatus.BAD_REQUEST, "The token is malformed.", str(error)) from None
        if token is None:
            raise unauthenticated("The request carries no token.")
        return await self.caller_with(token, connection)

    async def caller_with(self, token: Token, connection: HTTPConnection) -> Caller:
        """Return the user of a token. Raises Problem (401, 429) and KubeError."""
        if token.expires is not None and token.expires <= self._clock().wall:
            raise unauthenticated("The token has expired.")
        headers = {"Authorization": f"Bearer {token.value}"}
        caller = await self._callers.of(Credential(headers, token.digest, token.expires), connection)
        if wait := self._requests.wait(caller.user.name, self._clock().monotonic):
            raise Problem(
                HTTPStatus.TOO_MANY_REQUESTS, "Too many requests: wait a little.", headers={"Retry-After": str(wait)}
            )
        return caller

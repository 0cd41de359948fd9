"""The access of a web server's users in the test's own process: with answers that are kept only for a moment."""

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.requests import HTTPConnection

from provisioner_operator.core.model.instant import Instant
from provisioner_operator.kube.connect import connect_for_users
from provisioner_operator.web.access.answer_cache import Lifetimes
from provisioner_operator.web.access.authentication import TokenAuthenticator
from provisioner_operator.web.access.cached_reviews import CachedReviews
from provisioner_operator.web.access.rate_limit import RateLimit
from provisioner_operator.web.access.reviews import Reviews
from provisioner_operator.web.server import read_clocks

KEPT_SECONDS = 0.2
"""Time for which an answer is kept."""


@asynccontextmanager
async def an_authenticator(
    kubeconfig: Path, namespaces: Collection[str], *, clock: Callable[[], Instant] = read_clocks
) -> AsyncIterator[TokenAuthenticator]:
    """Provide the means by which a web server with this kubeconfig finds its users."""
    async with connect_for_users(kubeconfig, user_agent="test") as connection:
        reviews = Reviews(connection.server, connection.connector, "test")
        try:
            cached = CachedReviews(reviews, lambda: clock().monotonic, Lifetimes(KEPT_SECONDS, KEPT_SECONDS))
            yield TokenAuthenticator(
                connection, cached, namespaces=lambda: namespaces, clock=clock, requests=RateLimit(10_000)
            )
        finally:
            await reviews.close()


def a_request(token: str) -> HTTPConnection:
    """Return a request with a user's token."""
    return HTTPConnection({"type": "http", "headers": [(b"coder-session-token", token.encode())]})

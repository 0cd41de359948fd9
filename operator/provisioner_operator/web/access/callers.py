"""Make the caller of a request from a credential, by asking the API server who that is."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

import aiohttp
from starlette.requests import HTTPConnection

from provisioner_operator.web.access.audited_client import AuditedClient
from provisioner_operator.web.access.cached_reviews import CachedReviews
from provisioner_operator.web.access.caller import Caller, Question
from provisioner_operator.web.access.single_flight import SingleFlight
from provisioner_operator.web.problems import unauthenticated
from provisioner_operator.web.request_record import record_of


@dataclass(frozen=True, slots=True)
class Credential:
    """A credential as the API server gets it."""

    headers: Mapping[str, str] = field(repr=False)
    digest: str
    """Key by which caches and limits know it."""
    expires: float | None = None
    """Time at which it expires, in seconds since the epoch; None if it does not say."""


@dataclass(frozen=True, slots=True)
class Callers:
    """Makes callers, whose requests go through the same sessions."""

    session: aiohttp.ClientSession
    server: str
    reviews: CachedReviews
    namespaces: Callable[[], Collection[str]]
    """Names of all namespaces."""
    streams: aiohttp.ClientSession | None = None
    """Session for watches and logs, if they have connections of their own."""
    lists: SingleFlight[tuple[str, str], frozenset[str]] = field(default_factory=SingleFlight)

    async def of(self, credential: Credential, connection: HTTPConnection) -> Caller:
        """Return the user of a credential. Raises Problem (401) and KubeError."""
        user = await self.reviews.user(credential.digest, credential.headers)
        if user is None:
            raise unauthenticated("The API server does not accept the token.")
        record = record_of(connection.scope)
        record.user = user.name

        async def review(question: Question) -> bool:
            return await self.reviews.allowed(credential.digest, credential.headers, question)

        def begin_review(question: Question) -> None:
            self.reviews.begin(credential.digest, credential.headers, question)

        return Caller(
            user=user,
            client=AuditedClient(self.session, self.server, credential.headers, record, streams=self.streams),
            expires=credential.expires,
            key=credential.digest,
            review=review,
            begin_review=begin_review,
            namespaces=self.namespaces,
            lists=self.lists,
        )

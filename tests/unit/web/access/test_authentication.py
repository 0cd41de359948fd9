"""A user is found by a token in one of three places, and by nothing else."""

import asyncio
from collections.abc import Mapping

import aiohttp
import pytest
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from typing_extensions import override

from provisioner_operator.core.model.instant import Instant
from provisioner_operator.kube.connect import UserConnection
from provisioner_operator.web.access.authentication import TokenAuthenticator, token_of
from provisioner_operator.web.access.cached_reviews import CachedReviews
from provisioner_operator.web.access.caller import Caller, Question, User
from provisioner_operator.web.access.rate_limit import RateLimit
from provisioner_operator.web.access.tokens import MalformedTokenError
from provisioner_operator.web.problems import Problem
from provisioner_operator.web.request_record import record_of
from unit.web.access.test_tokens import a_jwt

HOST = "jobs.example.com"
NOW = 1_000_000.0
MOST = 20
"""Requests of a user in a minute."""


class Reviewer:
    """Accepts one token."""

    def __init__(self, token: str) -> None:
        self._accepted = f"Bearer {token}"
        self.asked: list[Mapping[str, str]] = []

    async def user(self, credential: Mapping[str, str]) -> User | None:
        self.asked.append(credential)
        return User("ada", ("engineers",)) if credential["Authorization"] == self._accepted else None

    async def allowed(self, _: Mapping[str, str], question: Question) -> bool:
        return question.verb == "list"


def a_connection(**headers: str) -> HTTPConnection:
    given = {"host": HOST} | {name.replace("_", "-").lower(): value for name, value in headers.items()}
    return HTTPConnection(
        {"type": "http", "headers": [(name.encode(), value.encode("latin-1")) for name, value in given.items()]}
    )


def find(reviewer: Reviewer, connection: HTTPConnection) -> Caller:
    async def run() -> Caller:
        async with aiohttp.TCPConnector() as connector, aiohttp.ClientSession(connector=connector) as session:
            access = TokenAuthenticator(
                UserConnection("https://api.invalid", session, connector, session),
                CachedReviews(reviewer, lambda: 0.0),
                namespaces=lambda: ["red"],
                clock=lambda: Instant(NOW, 0.0),
                requests=RateLimit(MOST),
            )
            caller = await access.caller(connection)
            assert await caller.visible("provisionerjobs") == {"red"}
            return caller

    return asyncio.run(run())


def refusal(connection: HTTPConnection) -> int:
    with pytest.raises(Problem) as error:
        find(Reviewer("right"), connection)
    return error.value.status


@pytest.mark.parametrize(
    "headers",
    [
        {"Coder_Session_Token": "right"},
        {"Authorization": "Bearer right"},
        {"Authorization": "bearer  right "},
        {"Cookie": "__Host-provisioner=right"},
        {"Cookie": "theme=dark; __Host-provisioner=ri; __Host-provisioner-1=ght; other=1"},
    ],
    ids=str,
)
def test_a_token_is_found_in_each_of_its_places(headers: dict[str, str]) -> None:
    connection = a_connection(**headers)
    caller = find(Reviewer("right"), connection)

    assert caller.user == User("ada", ("engineers",))
    assert record_of(connection.scope).user == "ada"


def test_the_first_place_that_has_a_token_counts() -> None:
    headers = {"Coder-Session-Token": "first", "Authorization": "Bearer second", "Cookie": "__Host-provisioner=third"}

    for expected in ("first", "second", "third"):
        token = token_of(Headers({"host": HOST, **headers}))
        assert token is not None
        assert token.value == expected
        headers.pop(next(iter(headers)))


def test_an_invalid_token_is_not_replaced_by_one_from_another_place() -> None:
    assert refusal(a_connection(Coder_Session_Token="wrong", Authorization="Bearer right")) == 401


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Coder_Session_Token": "junk"},
        {"Authorization": "Bearer junk"},
        {"Authorization": "right"},
        {"Authorization": "Basic right"},
        {"Authorization": "Bearerright"},
        {"Cookie": "provisioner=right"},
        {"Cookie": "__host-provisioner=right"},
        {"X_Forwarded_User": "ada", "X_Forwarded_Access_Token": "right", "X_Remote_User": "ada"},
        {"X_Auth_Request_User": "ada", "Impersonate_User": "ada", "Proxy_Authorization": "Bearer right"},
    ],
    ids=str,
)
def test_threat_08_without_a_valid_token_there_is_no_user(headers: dict[str, str]) -> None:
    assert refusal(a_connection(**headers)) == 401


def test_threat_08_without_a_token_the_api_server_is_not_even_asked() -> None:
    reviewer = Reviewer("right")
    with pytest.raises(Problem):
        find(reviewer, a_connection())

    assert reviewer.asked == []


@pytest.mark.parametrize("text", ["", "a b", "a\tb", "a\x85b", "ä"], ids=ascii)
def test_threat_17_a_malformed_token_is_a_bad_request(text: str) -> None:
    assert refusal(a_connection(Coder_Session_Token=text)) == 400
    with pytest.raises(MalformedTokenError):
        token_of(Headers({"host": HOST, "coder-session-token": text}))


def test_threat_12_an_expired_token_is_refused_without_a_question() -> None:
    reviewer = Reviewer(expired := a_jwt({"exp": NOW}))
    with pytest.raises(Problem) as error:
        find(reviewer, a_connection(Coder_Session_Token=expired))

    assert error.value.status == 401
    assert reviewer.asked == []


def test_a_caller_knows_when_its_token_expires() -> None:
    token = a_jwt({"exp": NOW + 60})

    assert find(Reviewer(token), a_connection(Coder_Session_Token=token)).expires == NOW + 60


def test_threat_19_the_representation_of_a_caller_has_no_token() -> None:
    assert "right" not in repr(find(Reviewer("right"), a_connection(Coder_Session_Token="right")))


def test_threat_22_the_tokens_of_a_user_share_one_limit() -> None:
    class Tokens(Reviewer):
        """Accepts every token: of ada, but for that of sam."""

        @override
        async def user(self, credential: Mapping[str, str]) -> User | None:
            return User("sam" if credential["Authorization"] == "Bearer sam-token" else "ada")

    async def run() -> None:
        async with aiohttp.TCPConnector() as connector, aiohttp.ClientSession(connector=connector) as session:
            access = TokenAuthenticator(
                UserConnection("https://api.invalid", session, connector, session),
                CachedReviews(Tokens(""), lambda: 0.0),
                namespaces=list,
                clock=lambda: Instant(NOW, 0.0),
                requests=RateLimit(MOST),
            )
            for number in range(MOST):
                await access.caller(a_connection(Coder_Session_Token=f"token-{number}"))
            with pytest.raises(Problem) as refused:
                await access.caller(a_connection(Coder_Session_Token="another-token"))
            assert (refused.value.status, refused.value.headers) == (429, {"Retry-After": "3"})
            assert (await access.caller(a_connection(Coder_Session_Token="sam-token"))).user == User("sam")

    asyncio.run(run())

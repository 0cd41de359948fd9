"""The application behind its guard: logins, probes and unknown places, for a server and for one user on loopback."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from ipaddress import IPv4Network

import httpx
import pytest
from starlette.requests import HTTPConnection
from typing_extensions import override

from provisioner_operator.core.model.instant import Instant
from provisioner_operator.kube.errors import UnreachableError
from provisioner_operator.web.access.authentication import Authenticator
from provisioner_operator.web.access.caller import Caller
from provisioner_operator.web.access.local_session import LocalSession
from provisioner_operator.web.access.tokens import Token
from provisioner_operator.web.app import make_app
from provisioner_operator.web.context import WebContext
from provisioner_operator.web.index.cluster_index import ClusterIndex
from provisioner_operator.web.problems import unauthenticated
from provisioner_operator.web.settings import Settings
from provisioner_operator.web.streams import Streams

HOST = "jobs.example.com"
LOCAL = "provisioner-1.localhost"


def clock() -> Instant:
    return Instant(1_000_000.0, 0.0)


class Access(Authenticator):
    """Accepts the token `right`; the API server is away for the token `later`."""

    @override
    async def caller(self, connection: HTTPConnection) -> Caller:
        del connection
        raise unauthenticated("no")

    @override
    async def caller_with(self, token: Token, connection: HTTPConnection) -> Caller:
        del connection
        match token.value:
            case "right":
                return None  # type: ignore[return-value]
            case "later":
                raise UnreachableError("away")
        raise unauthenticated("no")


def a_context(session: LocalSession | None = None) -> WebContext:
    settings = Settings(allowed_hosts=(HOST, LOCAL))
    return WebContext(ClusterIndex(clock), Access(), settings, clock, Streams(clock), session)


def send(
    method: str,
    path: str,
    *,
    context: WebContext | None = None,
    host: str = HOST,
    headers: Mapping[str, str] | None = None,
    form: Mapping[str, str] | None = None,
) -> httpx.Response:
    async def run() -> httpx.Response:
        transport = httpx.ASGITransport(make_app(context or a_context()))
        async with httpx.AsyncClient(transport=transport, base_url=f"https://{host}") as client:
            return await client.request(method, path, headers=headers, data=form)

    return asyncio.run(run())


def test_probes_say_whether_the_index_is_filled() -> None:
    context = a_context()

    assert send("GET", "/healthz", context=context).status_code == 200
    assert send("GET", "/readyz", context=context).status_code == 503
    context.index.complete()
    assert send("GET", "/readyz", context=context).status_code == 200


def test_a_login_keeps_the_token_in_the_browser_alone() -> None:
    answer = send("POST", "/login", form={"token": " right\r\n", "next": "/me"})

    assert (answer.status_code, answer.headers["Location"]) == (303, "/me")
    kept, *discarded = answer.headers.get_list("Set-Cookie")
    assert kept == "__Host-provisioner=right; Path=/; HttpOnly; SameSite=Lax; Secure"
    assert all("Max-Age=0" in each for each in discarded)
    assert len(discarded) == 2


def test_on_loopback_without_tls_the_cookie_has_another_name() -> None:
    answer = send("POST", "/login", host="localhost:8080", form={"token": "right"})

    assert answer.headers.get_list("Set-Cookie")[0] == "provisioner=right; Path=/; HttpOnly; SameSite=Lax"


@pytest.mark.parametrize(
    ("token", "problem"),
    [("wrong", "refused"), ("later", "unreachable"), ("", "malformed"), ("a b", "malformed"), ("a\r\nb", "malformed")],
    ids=ascii,
)
def test_a_login_that_fails_says_why_and_keeps_nothing(token: str, problem: str) -> None:
    answer = send("POST", "/login", form={"token": token, "next": "/me"})

    assert (answer.status_code, answer.headers["Location"]) == (303, f"/login?problem={problem}&next=%2Fme")
    assert "Set-Cookie" not in answer.headers
    assert not token or token not in answer.headers["Location"]


def test_a_login_with_more_fields_than_the_form_has_is_malformed() -> None:
    answer = send("POST", "/login", form={f"field-{number}": "x" for number in range(11)})

    assert (answer.status_code, answer.headers["Location"]) == (303, "/login?problem=malformed&next=%2F")


@pytest.mark.parametrize("following", ["//evil.example", "/\\evil.example", "https://evil.example", "/\r\nX: y", ""])
def test_threat_15_a_login_leads_nowhere_else(following: str) -> None:
    assert send("POST", "/login", form={"token": "right", "next": following}).headers["Location"] == "/"


def test_threat_19_no_page_about_a_failure_quotes_the_token() -> None:
    for headers in ({"Coder-Session-Token": "very-secret"}, {"Coder-Session-Token": "very secret"}):
        for path in ("/api/v2/users/me", "/me", "/api/v2/no-such-place"):
            answer = send("GET", path, headers=headers)
            assert "secret" not in answer.text + str(answer.headers)


def test_a_logout_makes_the_browser_forget() -> None:
    answer = send("POST", "/logout")

    assert (answer.status_code, answer.headers["Location"]) == (303, "/login")
    assert len(answer.headers.get_list("Set-Cookie")) == 3
    assert all("Max-Age=0" in each for each in answer.headers.get_list("Set-Cookie"))


def test_threat_02_a_foreign_page_can_neither_sign_a_user_in_nor_out() -> None:
    foreign = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}

    assert send("POST", "/login", form={"token": "right"}, headers=foreign).status_code == 403
    assert send("POST", "/logout", headers=foreign).status_code == 403


def test_a_body_is_bounded() -> None:
    assert send("POST", "/login", form={"token": "x" * 2_000_000}).status_code == 413


def test_the_framework_serves_no_documentation_of_its_own() -> None:
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert send("GET", path).status_code == 404


def test_whoever_opens_a_page_without_a_session_is_sent_to_the_login() -> None:
    answer = send("GET", "/me?a=b")

    assert (answer.status_code, answer.headers["Location"]) == (303, "/login?next=%2Fme%3Fa%3Db")


def test_the_code_of_a_local_server_opens_the_session_once() -> None:
    session = LocalSession()
    context = a_context(session)

    opened = send("GET", f"/open?code={session.code}", host=LOCAL, context=context)
    assert (opened.status_code, opened.headers["Location"]) == (303, "/")
    cookie = opened.headers.get_list("Set-Cookie")[0]
    assert cookie == f"provisioner={session.secret}; Path=/; HttpOnly; SameSite=Lax"
    assert send("GET", f"/open?code={session.code}", host=LOCAL, context=context).status_code == 401
    with_cookie = {"Cookie": cookie.partition(";")[0]}
    again = send("GET", "/open", host=LOCAL, context=context, headers=with_cookie)
    assert (again.status_code, "Set-Cookie" in again.headers) == (303, False)


def test_threat_23_without_the_session_a_local_server_answers_nothing() -> None:
    context = a_context(LocalSession())

    for path in ("/", "/login", "/open", "/open?code=x", "/api/v2/buildinfo", "/no-such-place"):
        assert send("GET", path, host=LOCAL, context=context).status_code == 401
    assert send("POST", "/login", host=LOCAL, context=context, form={"token": "right"}).status_code == 401


def test_a_server_for_all_has_no_code() -> None:
    assert send("GET", "/open?code=x").status_code == 404


def test_the_proxies_of_the_settings_are_believed() -> None:
    settings = Settings(allowed_hosts=(HOST,), logins_per_minute=1, trusted_proxies=(IPv4Network("127.0.0.0/8"),))
    app = make_app(replace(a_context(), settings=settings))

    async def attempts() -> list[int]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"https://{HOST}") as client:
            clients = [{"X-Forwarded-For": f"198.51.100.{each}"} for each in (1, 2, 2)]
            return [(await client.post("/login", data={}, headers=each)).status_code for each in clients]

    assert asyncio.run(attempts()) == [303, 303, 429]


def test_each_context_has_its_own_limits() -> None:
    context = replace(a_context(), settings=Settings(allowed_hosts=(HOST,), logins_per_minute=1))
    app = make_app(context)

    async def attempts() -> list[int]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"https://{HOST}") as client:
            return [(await client.post("/login", data={"token": "wrong"})).status_code for _ in range(2)]

    assert asyncio.run(attempts()) == [303, 429]

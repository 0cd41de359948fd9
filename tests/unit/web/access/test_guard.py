"""The guard judges every request, of HTTP and of WebSockets, before the application sees it, whatever its credential."""

import asyncio
import json
import logging
from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from provisioner_operator.web.access.guard import Guard
from provisioner_operator.web.access.local_session import LocalSession
from provisioner_operator.web.access.rate_limit import RateLimit
from provisioner_operator.web.request_record import record_of

HOST = "jobs.example.com"
TOKEN = "a-very-secret-token"
CREDENTIALS: tuple[dict[str, str], ...] = (
    {},
    {"Cookie": f"__Host-provisioner={TOKEN}"},
    {"Authorization": f"Bearer {TOKEN}"},
    {"Coder-Session-Token": TOKEN},
)
"""None, a browser's, a proxy's, a program's."""


class App:
    """An application that notes what reaches it."""

    def __init__(self, error: Exception | None = None) -> None:
        self.reached: list[str] = []
        self._error = error

    async def __call__(self, scope: Scope, _: Receive, send: Send) -> None:
        self.reached.append(scope["path"])
        record_of(scope).user = "ada"
        if self._error is not None:
            raise self._error
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.close"})
            return
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": b"seen"})


def a_guard(app: App, *, per_minute: int = 1000, logins: int = 1000, **options: Any) -> Guard:
    return Guard(
        app,
        allowed_hosts=[HOST],
        requests=RateLimit(per_minute),
        logins=RateLimit(logins),
        clock=lambda: 0.0,
        **options,
    )


def send(
    guard: Guard, method: str = "GET", path: str = "/", headers: Mapping[str, str] | None = None
) -> httpx.Response:
    async def request() -> httpx.Response:
        transport = httpx.ASGITransport(guard)
        async with httpx.AsyncClient(transport=transport, base_url=f"https://{HOST}") as client:
            return await client.request(method, path, headers=headers)

    return asyncio.run(request())


def connect(guard: Guard, headers: Mapping[str, str], *, can_refuse: bool = True) -> list[Message]:
    """Open a WebSocket, and return what the server sends."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def record(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "websocket",
        "path": "/logs",
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": ("192.0.2.1", 1),
        "extensions": {"websocket.http.response": {}} if can_refuse else {},
    }
    asyncio.run(guard(scope, receive, record))
    return sent


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", f"{HOST}.evil.example", ""])
@pytest.mark.parametrize("credential", CREDENTIALS)
def test_threat_01_a_foreign_name_is_refused(host: str, credential: dict[str, str]) -> None:
    app = App()

    answer = send(a_guard(app), headers={"Host": host, **credential})

    assert answer.status_code == 403
    assert connect(a_guard(app), {"host": host, **credential})[0]["status"] == 403
    assert app.reached == []


def test_threat_01_two_names_are_one_too_many() -> None:
    app = App()
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request"}

    async def record(message: Message) -> None:
        sent.append(message)

    headers = [(b"host", HOST.encode()), (b"host", b"evil.example")]
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": headers}
    asyncio.run(a_guard(app)(scope, receive, record))

    assert sent[0]["status"] == 403
    assert app.reached == []


def test_requests_of_our_own_page_pass() -> None:
    app = App()
    ours = {"Origin": f"https://{HOST}", "Sec-Fetch-Site": "same-origin"}

    assert send(a_guard(app), "POST", "/cancel", ours).status_code == 200
    assert send(a_guard(app), "POST", "/cancel", {"Origin": f"https://{HOST}"}).status_code == 200
    assert send(a_guard(app), "GET", "/", ours).status_code == 200


def test_requests_of_programs_pass() -> None:
    app = App()

    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        assert send(a_guard(app), method, "/", {"Coder-Session-Token": TOKEN}).status_code == 200


FOREIGN_CHANGES = [
    pytest.param({"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, id="a form of another site"),
    pytest.param({"Origin": "https://evil.example"}, id="an old browser"),
    pytest.param({"Origin": "null", "Sec-Fetch-Site": "cross-site"}, id="a sandboxed frame"),
    pytest.param({"Origin": "null"}, id="a sandboxed frame of an old browser"),
    pytest.param({"Sec-Fetch-Site": "cross-site"}, id="without an origin"),
    pytest.param({"Origin": f"https://{HOST}", "Sec-Fetch-Site": "cross-site"}, id="with a forged origin"),
]
SIBLINGS = [
    pytest.param({"Origin": "https://other.example.com", "Sec-Fetch-Site": "same-site"}, id="subdomain"),
    pytest.param({"Origin": f"https://{HOST}:8443", "Sec-Fetch-Site": "same-site"}, id="port"),
    pytest.param({"Origin": f"https://{HOST}:8443"}, id="port, old browser"),
    pytest.param({"Origin": f"http://{HOST}"}, id="without TLS"),
]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("headers", FOREIGN_CHANGES)
def test_threat_02_a_change_from_another_sites_page_is_refused(method: str, headers: dict[str, str]) -> None:
    app = App()

    assert send(a_guard(app), method, "/cancel", headers).status_code == 403
    assert app.reached == []


@pytest.mark.parametrize("headers", SIBLINGS)
def test_threat_03_a_change_from_a_sibling_is_refused(headers: dict[str, str]) -> None:
    app = App()

    assert send(a_guard(app), "POST", "/cancel", headers).status_code == 403
    assert app.reached == []


@pytest.mark.parametrize("credential", CREDENTIALS)
@pytest.mark.parametrize("headers", FOREIGN_CHANGES + SIBLINGS)
def test_threat_04_no_credential_makes_a_foreign_change_welcome(
    credential: dict[str, str], headers: dict[str, str]
) -> None:
    app = App()

    assert send(a_guard(app), "POST", "/cancel", {**headers, **credential}).status_code == 403
    assert app.reached == []


@pytest.mark.parametrize("origin", ["https://evil.example", f"https://{HOST}:8443", "null", f"http://{HOST}"])
@pytest.mark.parametrize("credential", CREDENTIALS)
def test_threat_05_a_socket_of_a_foreign_page_is_refused(origin: str, credential: dict[str, str]) -> None:
    app = App()
    headers = {"host": HOST, "origin": origin, **credential}

    assert connect(a_guard(app), headers)[0]["status"] == 403
    assert connect(a_guard(app), headers, can_refuse=False)[0]["type"] == "websocket.close"
    assert app.reached == []


def test_sockets_of_our_own_page_and_of_programs_pass() -> None:
    app = App()

    for headers in ({"origin": f"https://{HOST}"}, {}):
        assert connect(a_guard(app), {"host": HOST, **headers})[0]["type"] == "websocket.accept"


def test_threat_06_sockets_have_the_same_limits_and_headers() -> None:
    guard = a_guard(App(), per_minute=1)
    headers = {"host": HOST, "Coder-Session-Token": TOKEN}

    accepted, refused = connect(guard, headers)[0], connect(guard, headers)[0]

    assert dict(accepted["headers"])[b"x-request-id"]
    assert refused["status"] == 429
    assert dict(refused["headers"])[b"retry-after"] == b"60"
    assert b"content-security-policy" in dict(refused["headers"])


@pytest.mark.parametrize("kind", ["image", "script", "iframe", "frame", "embed", "object", "empty"])
def test_threat_07_a_foreign_page_cannot_embed_what_it_may_link(kind: str) -> None:
    app = App()
    foreign = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}

    assert send(a_guard(app), headers={**foreign, "Sec-Fetch-Dest": kind}).status_code == 403
    assert app.reached == []
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert send(a_guard(app), headers=link).status_code == 200


def test_threat_07_no_page_may_frame_an_answer() -> None:
    headers = send(a_guard(App())).headers

    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Frame-Options"] == "DENY"


def test_probes_are_answered_under_any_name() -> None:
    app = App()

    assert send(a_guard(app, per_minute=1), path="/healthz", headers={"Host": "10.0.0.7:8080"}).status_code == 200
    assert send(a_guard(app, per_minute=1), path="/readyz", headers={"Host": "10.0.0.7:8080"}).status_code == 200


def test_a_user_beyond_the_limit_is_told_when_to_come_back_and_others_are_served() -> None:
    guard = a_guard(App(), per_minute=2)
    mine, theirs = {"Coder-Session-Token": TOKEN}, {"Coder-Session-Token": "another"}

    assert [send(guard, headers=mine).status_code for _ in range(3)] == [200, 200, 429]
    assert send(guard, headers=mine).headers["Retry-After"] == "30"
    assert send(guard, headers=theirs).status_code == 200


def test_a_token_has_one_limit_however_it_is_sent() -> None:
    guard = a_guard(App(), per_minute=3)

    answers = [send(guard, headers=credential).status_code for credential in CREDENTIALS[1:]]

    assert answers == [200, 200, 200]
    assert send(guard, headers=CREDENTIALS[1]).status_code == 429


def test_logins_have_a_stricter_limit_of_their_own() -> None:
    guard = a_guard(App(), logins=1)

    assert [send(guard, "POST", "/login").status_code for _ in range(2)] == [200, 429]
    assert send(guard, "GET", "/login").status_code == 200


def test_nobody_uses_up_the_logins_of_others_behind_a_trusted_proxy() -> None:
    guard = a_guard(App(), logins=1, trusted_proxies=[ip_network("127.0.0.0/8")])
    stranger, user = {"X-Forwarded-For": "203.0.113.7"}, {"X-Forwarded-For": "198.51.100.1"}
    disguised = {"X-Forwarded-For": "198.51.100.9, 203.0.113.7"}

    assert [send(guard, "POST", "/login", each).status_code for each in (stranger, stranger, disguised)] == [
        200,
        429,
        429,
    ]
    assert send(guard, "POST", "/login", user).status_code == 200


def test_nobody_escapes_the_limit_by_a_header_that_no_trusted_proxy_sent() -> None:
    guard = a_guard(App(), logins=1)

    answers = [send(guard, "POST", "/login", {"X-Forwarded-For": f"198.51.100.{each}"}) for each in range(2)]
    assert [each.status_code for each in answers] == [200, 429]


def test_a_read_only_server_refuses_changes_but_lets_people_in() -> None:
    app = App()
    guard = a_guard(app, read_only=True)

    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert send(guard, method, "/cancel").status_code == 403
    assert app.reached == []
    assert send(guard, "GET", "/").status_code == 200
    assert send(guard, "POST", "/login").status_code == 200
    assert send(guard, "POST", "/logout").status_code == 200


def test_threat_23_without_the_session_a_local_server_shows_nothing() -> None:
    app, session = App(), LocalSession()
    guard = a_guard(app, session=session)

    for path in ("/", "/login", "/static/page.css", "/api/v2/buildinfo"):
        assert send(guard, path=path).status_code == 401
    assert connect(guard, {"host": HOST})[0]["status"] == 401
    assert app.reached == []
    assert send(guard, headers={"Cookie": f"__Host-provisioner={session.secret}"}).status_code == 200
    assert send(guard, path=f"/open?code={session.code}").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/", {}),
        ("GET", "/", {"Host": "evil.example"}),
        ("POST", "/", {"Origin": "https://evil.example"}),
    ],
)
def test_threat_19_no_answer_sends_its_address_on_or_may_be_stored(
    method: str, path: str, headers: dict[str, str]
) -> None:
    answer = send(a_guard(App()), method, path, headers)

    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Request-Id"]


def test_threat_19_the_log_names_user_verb_object_and_result_but_no_token(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    path = f"/jobs/one?token={TOKEN}"

    for credential in CREDENTIALS:
        send(a_guard(App()), "POST", path, {"Host": "evil.example", **credential})
    answers = [send(a_guard(App()), "POST", path, credential) for credential in CREDENTIALS]

    logged = [vars(record) for record in caplog.records if record.name.startswith("provisioner_operator")]
    assert TOKEN not in json.dumps(logged, default=repr)
    request = answers[-1].headers["X-Request-Id"]
    record = next(each for each in caplog.records if vars(each).get("request_id") == request)
    assert {name: vars(record)[name] for name in ("user", "verb", "object", "result")} == {
        "user": "ada",
        "verb": "POST",
        "object": "/jobs/one",
        "result": 200,
    }


def test_a_path_cannot_forge_a_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    send(a_guard(App()), "POST", "/a%0d%0aPOST%20/forged:%20200%1b[31m")

    assert all("\n" not in record.getMessage() and "\x1b" not in record.getMessage() for record in caplog.records)


def test_reads_are_logged_only_if_they_are_refused(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    guard = a_guard(App(), per_minute=1)

    send(guard)
    assert [each for each in caplog.records if each.name.endswith("audit")] == []
    send(guard)

    assert [vars(each)["result"] for each in caplog.records if each.name.endswith("audit")] == [429]


def test_a_bug_of_the_application_ends_one_request_and_is_logged_with_its_id(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def receive() -> Message:
        return {"type": "http.request"}

    async def forget(_: Message) -> None:
        pass

    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "query_string": b"",
        "headers": [(b"host", HOST.encode())],
    }
    asyncio.run(a_guard(App(ZeroDivisionError("oh")))(scope, receive, forget))

    logged = next(each for each in caplog.records if each.exc_info)
    assert vars(logged)["request_id"] == record_of(scope).id


def test_the_servers_own_events_pass() -> None:
    seen: list[str] = []

    async def app(scope: Scope, _: Receive, __: Send) -> None:
        seen.append(scope["type"])

    async def receive() -> Message:
        return {"type": "lifespan.startup"}

    async def forget(_: Message) -> None:
        pass

    asyncio.run(a_guard(app)({"type": "lifespan"}, receive, forget))  # type: ignore[arg-type]

    assert seen == ["lifespan"]

"""Signing in and out with a pasted token, and what the log says of users."""

import json

import httpx
import pytest

from support.programs.web_server import WebProgram, WebUsers

ME = "/api/v2/users/me"
JUNK = "not-a-token-of-this-cluster"


def test_a_pasted_token_becomes_a_cookie_and_a_logout_ends_it(web: WebUsers) -> None:
    browser = web.stranger()

    entered = browser.post("/login", data={"token": f"{web.token('viewer')}\n", "next": "/me"})
    assert (entered.status_code, entered.headers["location"]) == (httpx.codes.SEE_OTHER, "/me")
    assert browser.get(ME).json()["username"] == web.name("viewer")
    left = browser.post("/logout")

    assert (left.status_code, left.headers["location"]) == (httpx.codes.SEE_OTHER, "/login")
    assert browser.get(ME).status_code == httpx.codes.UNAUTHORIZED


@pytest.mark.parametrize(
    ("token", "problem"), [("", "malformed"), ("a b", "malformed"), (JUNK, "refused"), ("a\r\nb: c", "malformed")]
)
def test_a_login_without_a_valid_token_says_why(web: WebUsers, token: str, problem: str) -> None:
    browser = web.stranger()

    answer = browser.post("/login", data={"token": token, "next": "/me"})

    assert answer.headers["location"] == f"/login?problem={problem}&next=%2Fme"
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("following", ["//evil.example", "/\\evil.example", "https://evil.example"])
def test_threat_15_a_login_leads_nowhere_else(web: WebUsers, following: str) -> None:
    answer = web.stranger().post("/login", data={"token": web.token("viewer"), "next": following})

    assert answer.headers["location"] == "/"


def test_threat_19_no_token_is_in_the_log(web: WebUsers, web_server: WebProgram) -> None:
    token = web.token("viewer")
    client = web.client("viewer")
    client.get(ME, params={"token": token})
    client.post("/login", data={"token": token})
    client.post("/login", data={"token": f"{token} "})
    client.get("/", headers={"Cookie": f"provisioner={token}"})
    foreign = {"Host": "evil.example", "Referer": f"http://127.0.0.1/?{token}"}
    web_server.await_audit(client.get(f"/{token[:100]}?{token}", headers=foreign))

    secret = token.rpartition(".")[2]
    assert secret not in "\n".join(web_server.lines)


def test_the_log_names_who_did_what(web: WebUsers, web_server: WebProgram) -> None:
    answer = web.client("viewer").post("/no-such-place")

    records = web_server.await_audit(answer)

    assert [(each["verb"], each["object"], each["result"]) for each in records] == [
        ("POST", "/no-such-place", answer.status_code)
    ]
    assert json.dumps(records)

"""Identity and rights of users on a real API server, as the web server sees them.

The server runs with the administrator's kubeconfig, which has a client certificate: on a connection that showed it, the
API server would take every token for the administrator.
"""

import httpx
import pytest

from support.programs.web_server import WebUsers

ME = "/api/v2/users/me"
JUNK = "not-a-token-of-this-cluster"


def test_a_user_is_who_the_api_server_says(web: WebUsers) -> None:
    answer = web.client("viewer").get(ME)

    assert answer.status_code == httpx.codes.OK
    assert answer.json()["username"] == web.name("viewer")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Coder-Session-Token": JUNK},
        {"Authorization": f"Bearer {JUNK}"},
        {"Authorization": "Basic YWRtaW46YWRtaW4="},
        {"Cookie": f"provisioner={JUNK}"},
        {"X-Forwarded-User": "admin", "X-Remote-User": "admin", "Impersonate-User": "admin"},
    ],
    ids=str,
)
def test_threat_08_without_a_valid_token_nobody_is_served(web: WebUsers, headers: dict[str, str]) -> None:
    answer = web.stranger().get(ME, headers=headers)

    assert answer.status_code == httpx.codes.UNAUTHORIZED
    assert answer.json()["message"]


def test_threat_09_a_token_is_not_taken_for_the_servers_own_certificate(web: WebUsers) -> None:
    assert web.stranger().get(ME, headers={"Coder-Session-Token": JUNK}).status_code == httpx.codes.UNAUTHORIZED
    assert web.client("nobody").get(ME).json()["username"] == web.name("nobody")

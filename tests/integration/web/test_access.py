"""Identity and rights of users on a real API server, as the web server sees them.

The server runs with the administrator's kubeconfig, which has a client certificate: on a connection that showed it, the
API server would take every token for the administrator.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection
from urllib.parse import urlsplit

import aiohttp
import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect as connect_socket
from websockets.typing import Origin

from provisioner_operator.api.v1alpha1.names import JOBS
from provisioner_operator.kube.logins.login import find_login
from provisioner_operator.web.access.reviews import Reviews
from provisioner_operator.web.problems import Problem
from support.builders.manifests import a_daemon_manifest, a_job_manifest
from support.cluster.kubectl import Kubectl
from support.cluster.shared_cluster import Cluster
from support.programs.web_access import a_request, an_authenticator
from support.programs.web_server import WebUsers
from support.unique import unique

ME = "/api/v2/users/me"
JUNK = "not-a-token-of-this-cluster"
READERS = ("viewer", "submitter", "namespace-admin")
WITHIN = 60.0
"""Timeout in seconds for what takes a moment."""


def listing(namespace: str | None) -> str:
    return f"/api/v2/organizations/{namespace}/provisionerjobs"


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


def test_threat_08_a_query_is_no_place_for_a_token(web: WebUsers) -> None:
    answer = web.stranger().get(ME, params={"coder_session_token": web.token("viewer"), "token": web.token("viewer")})

    assert answer.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.BAD_REQUEST}


def test_threat_08_nobody_becomes_another_by_headers_beside_a_token(web: WebUsers) -> None:
    headers = {"Impersonate-User": "admin", "Impersonate-Group": "system:masters", "X-Remote-User": "admin"}

    assert web.client("nobody").get(ME, headers=headers).json()["username"] == web.name("nobody")


@pytest.mark.usefixtures("certificates")
def test_threat_09_on_a_session_with_a_certificate_any_token_would_be_the_certificates_user(cluster: Cluster) -> None:
    """The trap itself: without it, the next test would prove nothing."""

    async def identity() -> str | None:
        login = find_login(cluster.kubeconfig, {})
        assert login.certificate is not None
        async with aiohttp.TCPConnector(ssl=login.server.tls(login.certificate)) as connector:
            reviews = Reviews(login.server.url, connector, "test")
            try:
                user = await reviews.user({"Authorization": f"Bearer {JUNK}"})
            finally:
                await reviews.close()
            return user.name if user else None

    assert asyncio.run(identity()) is not None


def test_threat_09_a_token_is_not_taken_for_the_servers_own_certificate(web: WebUsers, cluster: Cluster) -> None:
    async def identity(token: str) -> str:
        async with an_authenticator(cluster.kubeconfig, ()) as access:
            return (await access.caller(a_request(token))).user.name

    with pytest.raises(Problem) as refused:
        asyncio.run(identity(JUNK))
    assert refused.value.status == httpx.codes.UNAUTHORIZED
    assert asyncio.run(identity(web.token("nobody"))) == web.name("nobody")
    assert web.stranger().get(ME, headers={"Coder-Session-Token": JUNK}).status_code == httpx.codes.UNAUTHORIZED


def test_readers_see_the_jobs_of_their_namespace_and_nobody_else_does(web: WebUsers, admin: Kubectl) -> None:
    admin.create(a_job_manifest("mine"))

    for user in READERS:
        answer = web.client(user).get(listing(admin.namespace))
        assert answer.status_code == httpx.codes.OK, user
    # Not even that there is such an organization.
    hidden = web.client("nobody").get(listing(admin.namespace))
    missing = web.client("nobody").get(listing("no-such-namespace"))
    assert hidden.status_code == missing.status_code == httpx.codes.NOT_FOUND
    assert hidden.json() == missing.json()


def test_threat_10_no_user_gets_what_anothers_token_cached(web: WebUsers, admin: Kubectl) -> None:
    viewer, nobody, stranger = web.client("viewer"), web.client("nobody"), web.stranger()

    for _ in range(3):
        assert viewer.get(listing(admin.namespace)).status_code == httpx.codes.OK
        assert nobody.get(listing(admin.namespace)).status_code == httpx.codes.NOT_FOUND
        assert stranger.get(listing(admin.namespace)).status_code == httpx.codes.UNAUTHORIZED
        assert viewer.get(ME).json()["username"] == web.name("viewer")
        assert nobody.get(ME).json()["username"] == web.name("nobody")


def test_threat_10_one_connection_serves_one_user_after_the_other(web: WebUsers) -> None:
    shared = web.stranger()

    for user in ("viewer", "nobody", "viewer"):
        answer = shared.get(ME, headers={"Coder-Session-Token": web.token(user)})
        assert answer.json()["username"] == web.name(user)


def test_a_caller_sees_its_own_namespaces(web: WebUsers, cluster: Cluster, admin: Kubectl) -> None:
    async def visible(user: str) -> frozenset[str]:
        async with an_authenticator(cluster.kubeconfig, ("default", str(admin.namespace))) as access:
            caller = await access.caller(a_request(web.token(user)))
            return await caller.visible(JOBS)

    assert asyncio.run(visible("viewer")) == {admin.namespace}
    assert asyncio.run(visible("nobody")) == frozenset()


@pytest.mark.parametrize(
    ("user", "verbs"),
    [
        ("viewer", {"get", "list"}),
        ("submitter", {"get", "list", "create"}),
        ("namespace-admin", {"get", "list", "create", "cancel"}),
        ("nobody", set()),
    ],
)
def test_a_caller_may_do_what_its_role_allows(
    web: WebUsers, cluster: Cluster, admin: Kubectl, user: str, verbs: set[str]
) -> None:
    async def allowed() -> set[str]:
        async with an_authenticator(cluster.kubeconfig, ()) as access:
            caller = await access.caller(a_request(web.token(user)))
            return {
                verb
                for verb in ("get", "list", "create", "cancel")
                if await caller.may(verb, JOBS, str(admin.namespace))
            }

    assert asyncio.run(allowed()) == verbs


def test_threat_21_nothing_of_a_foreign_namespace_shows(
    web: WebUsers, admin: Kubectl, make_namespace: Callable[[], str]
) -> None:
    foreign = make_namespace()
    tags = {"secret": unique("tag")}
    other = admin.within(foreign)
    other.create(a_daemon_manifest("foreign", tags=tags))
    for number in range(3):
        other.create(a_job_manifest(f"foreign-{number}", tags=tags, workspaceRef={"name": "foreign-workspace"}))
    admin.create(a_job_manifest("mine", tags=tags))
    viewer = web.client("viewer")
    deadline = time.monotonic() + WITHIN
    # A watch brings jobs in the order of their creation, so the others have been seen once this one has.
    while not (found := viewer.get("/api/v2/provisioner/jobs")).json():
        assert time.monotonic() < deadline
        time.sleep(0.05)

    (mine,) = found.json()
    assert (mine["queue_position"], mine["queue_size"]) == (1, 1)
    assert mine.get("available_workers", []) == []
    assert found.headers["X-Total-Count"] == "1"
    assert viewer.get("/api/v2/provisioner/jobs", params={"q": "foreign"}).json() == []
    assert viewer.get(listing(foreign)).status_code == httpx.codes.NOT_FOUND
    for path in ("/", "/organizations/-/provisioner-jobs?q=foreign", "/api/v2/organizations"):
        page = viewer.get(path)
        assert page.status_code == httpx.codes.OK
        assert foreign not in page.text
        assert "foreign-" not in page.text


@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1:1", "null"])
def test_threat_05_a_socket_of_a_foreign_page_is_closed(web: WebUsers, origin: str) -> None:
    address = web.url.replace("http://", "ws://") + "/api/v2/workspacebuilds/x/logs?follow"

    headers = {"Coder-Session-Token": web.token("viewer")}
    with (
        pytest.raises(InvalidStatus) as refused,
        connect_socket(address, origin=Origin(origin), additional_headers=headers, proxy=None),
    ):
        pass

    assert refused.value.response.status_code == httpx.codes.FORBIDDEN


@pytest.mark.parametrize(
    "name", ["..", "%2e%2e", "..%2f..%2fkube-system", "%2f", "a%2fb", "a%00b", "a%0d%0ab", "A", "%25", "x;y"]
)
def test_threat_16_only_valid_names_reach_the_api_server(web: WebUsers, name: str) -> None:
    own = f"/api/v2/organizations/{web.admin.namespace}"
    headers = {"Coder-Session-Token": web.token("namespace-admin")}

    def status(path: str) -> int:
        # Sends the path as it is, where others would resolve its dots.
        with closing(HTTPConnection(urlsplit(web.url).netloc, timeout=WITHIN)) as connection:
            connection.request("GET", path, headers=headers)
            return connection.getresponse().status

    for path in (f"/api/v2/organizations/{name}/provisionerjobs", f"/organizations/{name}/provisioner-jobs"):
        assert status(path) in {httpx.codes.NOT_FOUND, httpx.codes.FORBIDDEN}, path
    for path in (f"/api/v2/workspaces/{name}", f"{own}/provisionerjobs/{name}", f"{own}/templates/{name}"):
        assert status(path) in {httpx.codes.NOT_FOUND, httpx.codes.BAD_REQUEST}, path


def test_threat_17_a_malformed_token_is_refused_before_it_is_sent_on(web: WebUsers) -> None:
    assert web.stranger().get(ME, headers={"Coder-Session-Token": "a b"}).status_code == httpx.codes.BAD_REQUEST

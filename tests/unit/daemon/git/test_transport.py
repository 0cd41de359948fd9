"""Destinations of a fetch, recipients of its credentials, and meaning of refusals, with http and https servers on loopback."""

import ssl
from collections.abc import Iterator
from pathlib import Path
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from provisioner_devcluster.control_plane.certificates import Authority
from provisioner_operator.daemon.git.fetch_program import fetch
from provisioner_operator.daemon.git.request import REPOSITORY, Credentials, FetchError, GitRequest
from support.programs.git_repository import Repository
from support.programs.git_server import Answer, GitServer, basic_auth, failing, redirecting, serving

LOGIN = Credentials("git-login", "joe", "hunter2hunter2")
MAIN = {"main.tf": "# one"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    with serving(Repository(tmp_path / "served")) as server:
        server.repository.commit(MAIN)
        yield server


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority("git", tmp_path / "authority")


@pytest.fixture
def tls(authority: Authority) -> ssl.SSLContext:
    pair = authority.issue("git", "git", addresses=["127.0.0.1"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    return context


@pytest.fixture
def secure(
    tmp_path: Path, tls: ssl.SSLContext, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> Iterator[GitServer]:
    """An https server whose authority the daemon trusts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.pair.certificate))
    with serving(Repository(tmp_path / "secure"), tls=tls) as server:
        server.repository.commit(MAIN)
        yield server


def fetched(request: GitRequest, tmp_path: Path) -> str:
    run = tmp_path / "run"
    run.mkdir()
    fetch(request, run)
    return (run / REPOSITORY / "main.tf").read_text()


def refused(request: GitRequest, tmp_path: Path) -> str:
    with pytest.raises(FetchError) as caught:
        fetched(request, tmp_path)
    return str(caught.value)


def logins(server: GitServer) -> set[str | None]:
    return {login for _, _, login in server.requests}


def times(count: int, answer: Answer, server: GitServer) -> Answer:
    """Answer so to the first requests, and then as a git server."""
    left = [count]

    def counted(environ: WSGIEnvironment, start_response: StartResponse) -> object:
        left[0] -= 1
        if left[0] == 0:
            server.answers_refs = None
        return answer(environ, start_response)

    return counted  # type: ignore[return-value]


def test_a_repository_is_fetched_by_https(secure: GitServer, tmp_path: Path) -> None:
    assert fetched(GitRequest(secure.url, credentials=LOGIN), tmp_path) == MAIN["main.tf"]
    assert logins(secure) == {basic_auth(LOGIN.username, LOGIN.password)}


def test_a_certificate_of_an_unknown_authority_is_refused(
    secure: GitServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Authority("other", tmp_path / "other")
    monkeypatch.setenv("SSL_CERT_FILE", str(other.pair.certificate))
    message = refused(GitRequest(secure.url, credentials=LOGIN), tmp_path)
    assert "has a certificate that is not trusted" in message
    assert secure.requests == []


def test_a_redirect_from_https_to_http_is_not_followed(secure: GitServer, server: GitServer, tmp_path: Path) -> None:
    secure.answers_refs = redirecting(server.address + "{path}")
    message = refused(GitRequest(secure.url, credentials=LOGIN), tmp_path)
    assert f"redirects to {server.url}/info/refs, which a fetch does not follow" in message
    assert server.requests == []


def test_a_redirect_from_http_to_https_is_followed_without_the_credentials(
    secure: GitServer, server: GitServer, tmp_path: Path
) -> None:
    server.answers_refs = redirecting(secure.address + "{path}")
    assert fetched(GitRequest(server.url, credentials=LOGIN), tmp_path) == MAIN["main.tf"]
    assert logins(secure) == {None}


def test_a_redirect_to_another_https_port_is_followed_without_the_credentials(
    secure: GitServer, tls: ssl.SSLContext, tmp_path: Path
) -> None:
    with serving(Repository(tmp_path / "third"), tls=tls) as third:
        third.repository.commit({"main.tf": "# three"})
        secure.answers_refs = redirecting(third.address + "{path}")
        assert fetched(GitRequest(secure.url, credentials=LOGIN), tmp_path) == "# three"
        assert logins(third) == {None}


@pytest.mark.parametrize("form", ["{}; charset=utf-8", "{} ;charset=UTF-8", "{};"])
def test_a_content_type_may_have_parameters(server: GitServer, tmp_path: Path, form: str) -> None:
    server.content_type = form
    assert fetched(GitRequest(server.url), tmp_path) == MAIN["main.tf"]


@pytest.mark.parametrize(
    "status",
    ["301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"],
)
def test_every_kind_of_redirect_is_followed(server: GitServer, tmp_path: Path, status: str) -> None:
    server.answers_refs = times(1, redirecting("{path}", status), server)
    assert fetched(GitRequest(server.url), tmp_path) == MAIN["main.tf"]


@pytest.mark.parametrize("status", ["300 Multiple Choices", "304 Not Modified", "305 Use Proxy"])
def test_what_only_looks_like_a_redirect_is_refused(server: GitServer, tmp_path: Path, status: str) -> None:
    server.answers_refs = times(1, redirecting("{path}", status), server)
    assert f"answered HTTP {status[:3]}" in refused(GitRequest(server.url), tmp_path)


def test_five_redirects_are_followed(server: GitServer, tmp_path: Path) -> None:
    server.answers_refs = times(5, redirecting("{path}"), server)
    assert fetched(GitRequest(server.url), tmp_path) == MAIN["main.tf"]


def test_six_redirects_are_too_many(server: GitServer, tmp_path: Path) -> None:
    server.answers_refs = times(6, redirecting("{path}"), server)
    assert "redirects more than 5 times" in refused(GitRequest(server.url), tmp_path)
    assert len(server.requests) == 6


def test_a_request_for_objects_is_not_redirected(server: GitServer, tmp_path: Path) -> None:
    server.answers_objects = redirecting("/elsewhere.git")
    message = refused(GitRequest(server.url), tmp_path)
    assert f"answers a request for objects with a redirect to {server.address}/elsewhere.git" in message


@pytest.mark.parametrize(
    ("status", "credentials", "said"),
    [
        ("401 Unauthorized", None, "asks for credentials. Name a Secret"),
        ("401 Unauthorized", LOGIN, "refuses the credentials of Secret git-login (HTTP 401)"),
        ("403 Forbidden", None, "refuses anonymous access (HTTP 403)"),
        ("403 Forbidden", LOGIN, "refuses the credentials of Secret git-login (HTTP 403)"),
        ("404 Not Found", None, "was not found (HTTP 404). Check spec.source.git.url. If it is private, set"),
        ("404 Not Found", LOGIN, "was not found (HTTP 404). Check spec.source.git.url."),
        ("410 Gone", None, "was not found (HTTP 410)"),
        ("407 Proxy Authentication Required", None, "is behind a proxy that asks for credentials"),
        ("500 Internal Server Error", None, "answered HTTP 500"),
        ("204 No Content", None, "answered HTTP 204"),
    ],
)
def test_a_refusal_is_explained(
    server: GitServer, tmp_path: Path, status: str, credentials: Credentials | None, said: str
) -> None:
    server.answers_refs = failing(status)
    message = refused(GitRequest(server.url, credentials=credentials), tmp_path)
    assert said in message
    assert ("If it is private" in message) is (credentials is None and status[:3] in {"404", "410"})


def test_a_fetch_goes_through_the_proxy_with_the_proxys_own_login(
    server: GitServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, str | None]] = []

    def proxy(environ: WSGIEnvironment, start_response: StartResponse) -> object:
        seen.append((environ["PATH_INFO"], environ.get("HTTP_PROXY_AUTHORIZATION")))
        return failing("404 Not Found")(environ, start_response)

    server.answers_refs = proxy  # type: ignore[assignment]
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", server.address.replace("//", "//ann:secret@"))
    message = refused(GitRequest("http://git.test/a.git", credentials=LOGIN), tmp_path)
    assert "Repository http://git.test/a.git was not found" in message
    assert seen == [("http://git.test/a.git/info/refs", basic_auth("ann", "secret"))]
    assert logins(server) == {basic_auth(LOGIN.username, LOGIN.password)}

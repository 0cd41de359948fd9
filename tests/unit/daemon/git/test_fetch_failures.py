"""Fetches from a git server that fails, redirects, hangs or sends too much."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioner_operator.daemon.git.fetch_program import fetch
from provisioner_operator.daemon.git.request import GitRequest, Limits
from support.programs.git_repository import Repository
from support.programs.git_server import (
    GitServer,
    a_page,
    basic_auth,
    failing,
    flooding,
    hanging,
    pointing,
    redirecting,
    serving,
)
from unit.daemon.git.fetching import ABSENT, LOGIN, MAIN, files, refused


@pytest.fixture
def leave() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("404 Not Found", "was not found (HTTP 404). Check spec.source.git.url. If it is private, set"),
        ("403 Forbidden", "Authentication failed"),
        ("500 Internal Server Error", "answered HTTP 500"),
    ],
)
def test_an_error_status_is_explained(server: GitServer, run: Path, status: str, said: str) -> None:
    server.answers_refs = failing(status)
    assert said in refused(GitRequest(server.url), run)


def test_an_html_page_is_not_a_repository(server: GitServer, run: Path) -> None:
    server.answers_refs = a_page
    assert "does not answer as a git server (it sent text/html)" in refused(GitRequest(server.url), run)


def test_an_aborted_fetch_is_reported(server: GitServer, run: Path) -> None:
    server.repository.commit(MAIN)
    server.answers_objects = failing("500 Internal Server Error")
    assert "aborted the fetch of main" in refused(GitRequest(server.url, "main"), run)


def test_a_server_that_does_not_run_cannot_be_reached(tmp_path: Path, run: Path) -> None:
    with serving(Repository(tmp_path / "served")) as server:
        url = server.url
    assert "cannot be reached" in refused(GitRequest(url), run)


def test_a_redirect_within_the_host_is_followed(server: GitServer, run: Path) -> None:
    server.repository.commit(MAIN)
    server.credentials = (LOGIN.username, LOGIN.password)
    plain = server.answers_refs = redirecting("{path}")

    def once(environ: dict[str, object], start_response: object) -> object:
        server.answers_refs = None
        return plain(environ, start_response)  # type: ignore[arg-type]

    server.answers_refs = once  # type: ignore[assignment]
    fetch(GitRequest(server.url, credentials=LOGIN), run)
    assert files(run) == MAIN


def test_a_redirect_to_another_port_does_not_get_the_credentials(server: GitServer, run: Path, tmp_path: Path) -> None:
    with serving(Repository(tmp_path / "other")) as other:
        other.repository.commit(MAIN)
        server.answers_refs = redirecting(other.address + "{path}")
        fetch(GitRequest(server.url, credentials=LOGIN), run)
        assert {login for _, _, login in server.requests} == {basic_auth("joe", LOGIN.password)}
        assert {login for _, _, login in other.requests} == {None}


@pytest.mark.parametrize(
    "location", ["http://localhost:1{path}", "file:///etc/passwd", "ftp://127.0.0.1/a", "http://joe:x@127.0.0.1/a", ""]
)
def test_a_redirect_elsewhere_is_refused(server: GitServer, run: Path, location: str) -> None:
    server.answers_refs = redirecting(location)
    assert "which a fetch does not follow" in refused(GitRequest(server.url), run)


def test_objects_are_not_fetched_from_another_host(server: GitServer, run: Path) -> None:
    server.answers_refs = server.answers_objects = pointing("https://localhost:1/pack", ABSENT)
    assert "refers the fetch to another host, https://localhost:1/pack, which a fetch does not follow" in refused(
        GitRequest(server.url), run
    )


def test_a_repository_with_longer_object_names_is_refused(server: GitServer, run: Path) -> None:
    server.answers_refs = server.answers_objects = pointing("https://localhost:1/pack", "a" * 64)
    assert "uses SHA-256 object names, which are not supported" in refused(GitRequest(server.url), run)


def test_so_many_redirects_are_followed(server: GitServer, run: Path) -> None:
    server.repository.commit(MAIN)
    plain, left = redirecting("{path}"), [None] * 5

    def redirect(environ: dict[str, object], start_response: object) -> object:
        left.pop()
        if not left:
            server.answers_refs = None
        return plain(environ, start_response)  # type: ignore[arg-type]

    server.answers_refs = redirect  # type: ignore[assignment]
    fetch(GitRequest(server.url), run)
    assert files(run) == MAIN


def test_endless_redirects_are_refused(server: GitServer, run: Path) -> None:
    server.answers_refs = redirecting("{path}")
    assert "redirects more than 5 times" in refused(GitRequest(server.url), run)


def test_a_fetch_from_a_server_that_sends_nothing_times_out(
    server: GitServer, run: Path, leave: threading.Event
) -> None:
    server.answers_refs = hanging(leave)
    message = refused(GitRequest(server.url, limits=Limits(silent_seconds=0.2)), run)
    assert "sent nothing for 0.2 s, so the fetch timed out" in message


def test_a_server_that_sends_too_much_is_cut_off(server: GitServer, run: Path) -> None:
    server.answers_refs = flooding
    message = refused(GitRequest(server.url, limits=Limits(received_bytes=100_000)), run)
    assert "is too large: more than 100,000 bytes were sent" in message


def test_bytes_of_the_first_attempt_count_when_the_history_is_fetched(server: GitServer, run: Path) -> None:
    server.gives_by_id = False
    pinned = server.repository.commit({"large.bin": os.urandom(50_000)})
    server.repository.commit(MAIN)
    assert "is too large" in refused(GitRequest(server.url, commit=pinned, limits=Limits(received_bytes=50_000)), run)

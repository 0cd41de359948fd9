"""Requests for a fetch: their encoding, and URLs."""

import base64
from dataclasses import replace
from pathlib import Path

import pytest

from provisioner_operator.daemon.git.request import Credentials, GitRequest, Limits
from unit.daemon.git.fetching import ABSENT, LOGIN, refused


@pytest.mark.parametrize(
    "url",
    [
        "file:///srv/repository.git",
        "/srv/repository.git",
        "ssh://git@example.com/a.git",
        "git@example.com:a.git",
        "https://joe:hunter2@example.com/a.git",
        "https:///a.git",
        "http://[",
    ],
)
def test_an_invalid_url_is_refused_and_not_shown(run: Path, url: str) -> None:
    message = refused(GitRequest(url), run)
    assert "is not a URL like https://" in message
    assert url not in message


@pytest.mark.parametrize(("username", "is_hidden"), [("u" * 19, False), ("u" * 20, True)])
def test_a_username_may_be_a_token(username: str, *, is_hidden: bool) -> None:
    password, pair, *others = Credentials("login", username, "secret").hidden
    assert password == "secret"
    assert base64.b64decode(pair).decode() == f"{username}:secret"
    assert others == ([username] if is_hidden else [])


def test_a_request_is_decoded_as_it_was_encoded() -> None:
    request = GitRequest("https://example.com/a.git", "v1", ABSENT, "dev", LOGIN, Limits(files=7))
    assert GitRequest.decode(request.encode()) == request
    assert GitRequest.decode(replace(request, credentials=None).encode()).credentials is None
    assert LOGIN.password not in repr(request)

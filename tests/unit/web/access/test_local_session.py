"""A local server has one session: its code works once, and every request needs its secret."""

import pytest
from starlette.datastructures import Headers

from provisioner_operator.web.access.local_session import LocalSession


def test_the_code_works_once() -> None:
    session = LocalSession()

    assert session.redeem(session.code)
    assert not session.redeem(session.code)


@pytest.mark.parametrize("code", ["", "x", "ä", "\ud800"], ids=ascii)
def test_another_code_works_never_and_leaves_the_right_one_usable(code: str) -> None:
    session = LocalSession()

    assert not session.redeem(code)
    assert not session.redeem(session.secret)
    assert session.redeem(session.code)


def test_threat_23_only_the_secret_is_admitted() -> None:
    session, other = LocalSession(), LocalSession()

    assert session.admits(Headers({"host": "a.localhost", "cookie": f"provisioner={session.secret}"}))
    assert session.admits(Headers({"host": "a.localhost", "coder-session-token": session.secret}))
    for headers in (
        {},
        {"cookie": "provisioner="},
        {"cookie": f"provisioner={session.code}"},
        {"cookie": f"provisioner={other.secret}"},
        {"cookie": 'provisioner="bad token"'},
        {"authorization": "Basic abc"},
    ):
        assert not session.admits(Headers({"host": "a.localhost", **headers}))


def test_no_two_sessions_are_alike() -> None:
    one, other = LocalSession(), LocalSession()

    assert len({one.secret, one.code, other.secret, other.code}) == 4

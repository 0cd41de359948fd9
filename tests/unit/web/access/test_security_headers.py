"""Answers are confined in the browser and kept out of caches, except what a route lets them keep."""

import pytest
from starlette.datastructures import MutableHeaders

from provisioner_operator.web.access.security_headers import CONTENT_SECURITY_POLICY, add_security_headers


def added(**given: str) -> MutableHeaders:
    headers = MutableHeaders({name.replace("_", "-"): value for name, value in given.items()})
    add_security_headers(headers)
    return headers


def test_the_policy_lets_a_page_use_only_what_is_ours() -> None:
    policy = dict(part.split(" ", 1) for part in CONTENT_SECURITY_POLICY.split("; "))

    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self'",
        "connect-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "provisioner",
    }


def test_a_route_cannot_loosen_the_policy() -> None:
    assert added(Content_Security_Policy="default-src *")["Content-Security-Policy"] == CONTENT_SECURITY_POLICY


def test_threat_20_an_answer_is_stored_nowhere() -> None:
    headers = added()

    assert headers["Cache-Control"] == "no-store"
    assert headers["Vary"] == "Authorization, Coder-Session-Token, Cookie"


@pytest.mark.parametrize("control", ["private, no-cache", "private, max-age=5"])
def test_threat_20_an_answer_for_one_user_is_never_given_to_another(control: str) -> None:
    headers = added(Cache_Control=control, Vary="Accept")

    assert headers["Cache-Control"] == control
    assert headers["Vary"] == "Accept, Authorization, Coder-Session-Token, Cookie"


def test_static_files_may_be_stored_for_all() -> None:
    headers = added(Cache_Control="public, max-age=31536000, immutable")

    assert headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "Vary" not in headers

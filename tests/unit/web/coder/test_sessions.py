"""Requests that `coder login` and `logout` make, and requests with parameters that a route does not know."""

import asyncio

import pytest

from provisioner_operator.api.v1alpha1.names import JOBS, WORKSPACES
from provisioner_operator.web.coder import newer_build
from provisioner_operator.web.coder.newer_build import KnownBuilds, no_build
from support.coder.api_world import ApiWorld, a_build_job, a_workspace, an_index, uid
from support.coder.go_decoder import problems_of


def test_a_login_keeps_the_token_that_was_sent() -> None:
    answer = ApiWorld().send("POST", "/api/v2/users/me/keys")
    assert (answer.status_code, answer.json()) == (201, {"key": "sam-token"})


def test_threat_19_a_token_that_came_as_a_cookie_is_not_shown_to_the_page() -> None:
    answer = ApiWorld().send("POST", "/api/v2/users/me/keys", user=None, Cookie="provisioner=sam-token")
    assert answer.status_code == 403
    assert "sam-token" not in answer.text


def test_no_key_is_made_for_others() -> None:
    assert ApiWorld().send("POST", "/api/v2/users/somebody/keys").status_code == 404


def test_a_logout_says_that_the_token_stays_valid() -> None:
    answer = ApiWorld().send("POST", "/api/v2/users/logout")
    assert problems_of("Response", answer.json()) == []
    assert "still valid" in answer.json()["detail"]


@pytest.mark.parametrize("query", ["force=true", "expect_status=succeeded"])
def test_a_cancel_with_an_unknown_parameter_changes_nothing(query: str) -> None:
    answer = ApiWorld().send("PATCH", f"/api/v2/workspacebuilds/{uid(JOBS, 'dev-2')}/cancel?{query}")
    assert answer.status_code == 400
    assert problems_of("Response", answer.json()) == []


def test_a_newer_build_is_awaited() -> None:
    index = an_index()
    row = index.workspaces.get(uid(WORKSPACES, "dev"))
    assert row is not None
    known = KnownBuilds.of(row, index)
    assert (known.number, known.is_active) == (2, True)

    async def waiting() -> int | None:
        found = asyncio.ensure_future(known.newer(index))
        await asyncio.sleep(0)
        index.apply(JOBS, "ADDED", a_build_job(1, workspace="another"))
        index.apply(JOBS, "ADDED", a_build_job(4))
        index.apply(JOBS, "ADDED", a_build_job(3))
        made = await found
        return None if made is None else made.build_number

    assert asyncio.run(waiting()) == 3


@pytest.mark.parametrize(
    ("workspace", "number", "is_active"),
    [("dev", 2, True), ("fresh", 0, False), ("retired", 4, False), ("waiting", 1, True)],
)
def test_a_build_is_active_until_it_has_ended(workspace: str, number: int, *, is_active: bool) -> None:
    index = an_index()
    index.apply(WORKSPACES, "ADDED", a_workspace("waiting"))
    index.apply(WORKSPACES, "ADDED", a_workspace("retired", buildNumber=4))
    row = index.workspaces.get(uid(WORKSPACES, workspace))
    assert row is not None
    known = KnownBuilds.of(row, index)
    assert (known.number, known.is_active) == (number, is_active)


def test_a_workspace_that_is_gone_gets_no_build() -> None:
    index = an_index()
    row = index.workspaces.get(uid(WORKSPACES, "dev"))
    assert row is not None
    known = KnownBuilds.of(row, index)
    index.apply(WORKSPACES, "DELETED", a_workspace("dev"))
    assert asyncio.run(known.newer(index)) is None


def test_a_build_that_nobody_makes_is_not_awaited_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newer_build, "WAIT_SECONDS", 0.01)
    index = an_index()
    row = index.workspaces.get(uid(WORKSPACES, "dev"))
    assert row is not None
    assert asyncio.run(KnownBuilds.of(row, index).newer(index)) is None
    assert no_build(row, index).detail.startswith("UpToDate: ")

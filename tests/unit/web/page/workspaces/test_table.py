"""Lines of the list of workspaces."""

from typing import Any

import pytest

from provisioner_operator.web.page.words import AWAY
from provisioner_operator.web.page.workspaces.rights import WorkspaceRights
from provisioner_operator.web.page.workspaces.table import ACTIONS, WorkspaceLine, workspace_line
from support.builders.core import NAMESPACE, NOON
from support.builders.manifests import a_workspace_manifest
from support.builders.stored import CREATED, stored

EVERYWHERE, NOWHERE = frozenset({NAMESPACE}), frozenset[str]()
ADMIN = WorkspaceRights("", EVERYWHERE, EVERYWHERE, EVERYWHERE)
SUBMITTER = WorkspaceRights("ada", EVERYWHERE, EVERYWHERE, NOWHERE)


def a_line(
    *, rights: WorkspaceRights | None = ADMIN, deleting: bool = False, status: dict[str, Any] | None = None, **spec: Any
) -> WorkspaceLine:
    metadata = {"deletionTimestamp": CREATED} if deleting else {}
    body = stored(a_workspace_manifest("dev", **spec), status=status, **metadata)
    return workspace_line(body, "template-2", rights, now=NOON)


def offers(line: WorkspaceLine) -> list[str]:
    return [each for each in ACTIONS if line.offers(each)]


def built(transition: str) -> dict[str, Any]:
    """The status after a build."""
    return {"latestBuild": {"number": 1, "job": "dev-1", "transition": transition, "phase": "Completed", "change": "x"}}


def test_a_workspace_offers_what_makes_sense() -> None:
    assert offers(a_line(running=True)) == ["stop", "rebuild", "delete"]
    assert offers(a_line(running=False)) == ["start", "delete"]
    assert offers(a_line(running=False, status=built("Stop"))) == ["start", "rebuild", "delete"]
    assert offers(a_line(deleting=True)) == []


def test_one_that_its_autostop_stopped_can_be_started() -> None:
    assert offers(a_line(running=True, status=built("Stop"))) == ["start", "rebuild", "delete"]
    assert offers(a_line(running=True, status=built("Start"))) == ["stop", "rebuild", "delete"]


@pytest.mark.parametrize(
    ("spec", "newer"),
    [
        ({}, "template-2"),
        ({"running": False}, "template-2"),
        ({"updatePolicy": "OnStart"}, "template-2"),
        ({"updatePolicy": "Always"}, ""),
        ({"running": False, "updatePolicy": "OnStart"}, ""),
    ],
)
def test_an_outdated_workspace_that_does_not_move_by_itself_is_updated(spec: dict[str, Any], newer: str) -> None:
    outdated = {"type": "Outdated", "status": "True"}
    build = {"number": 1, "job": "dev-1", "transition": "Start", "phase": "Completed", "version": "template-1"}
    line = a_line(status={"latestBuild": build, "conditions": [outdated]}, **spec)
    assert line.newer == newer
    assert ("update" in offers(line)) is bool(newer)
    assert "update" not in offers(a_line(status={"latestBuild": build}, **spec))


def test_without_a_right_the_buttons_name_the_missing_verb() -> None:
    viewing = a_line(rights=WorkspaceRights("", NOWHERE, NOWHERE, NOWHERE), running=True)
    assert offers(viewing) == ["stop", "rebuild", "delete"]
    assert "you lack the verb patch on workspaces" in viewing.denial("stop")
    assert "you lack the verb delete on workspaces" in viewing.denial("delete")
    assert viewing.denials == [viewing.denial("stop"), viewing.denial("delete")]


def test_only_its_owner_and_those_who_act_for_others_may_change_a_workspace() -> None:
    assert a_line(rights=SUBMITTER, owner="ada").denials == []
    assert a_line(rights=SUBMITTER).denials == [], "it has no owner"
    assert a_line(rights=ADMIN, owner="bob").denials == []
    foreign = a_line(rights=SUBMITTER, owner="bob")
    assert all("you lack the verb impersonate on workspaces" in foreign.denial(each) for each in offers(foreign))


def test_nothing_can_be_changed_while_the_api_server_is_away() -> None:
    assert a_line(rights=None).denials == [AWAY]


def test_a_message_shows_only_while_it_is_not_ready() -> None:
    ready = {"type": "Ready", "status": "True", "message": "as specified"}
    failed = {"type": "Ready", "status": "False", "message": "The build failed."}
    stalled = {"type": "Stalled", "status": "True"}
    assert a_line(status={"conditions": [ready]}).message == ""
    assert a_line(status={"conditions": [failed]}).message == "The build failed."
    assert a_line(status={"conditions": [failed, stalled]}).is_stalled


def test_the_last_build_links_to_its_job() -> None:
    build = {"number": 3, "job": "dev-3", "transition": "Start", "phase": "Failed", "change": "x"}
    line = a_line(status={"phase": "Failed", "latestBuild": build, "stopsAt": CREATED})
    assert line.build is not None
    assert (line.build.href, line.build.status.word) == ("/organizations/acme/provisioner-jobs/dev-3", "Failed")
    assert line.stops_at is not None
    assert line.status.tone == "bad"

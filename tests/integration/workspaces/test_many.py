"""Many workspaces at once on few daemons, and the writes for a build."""

from contextlib import ExitStack

from integration.workspaces.conftest import Team, a_workspace, is_ready
from support.test_namespace import names

WORKSPACES = 100
DAEMONS = 10
MOST_WRITES_PER_BUILD = 3
"""Writes per build to the workspace, beyond those to the job itself."""
DESTROYED = 15
"""Of them."""


def test_a_hundred_workspaces_are_each_started_once_and_some_destroyed(own_team: Team) -> None:
    team = own_team
    made = names("ws", WORKSPACES)
    with ExitStack() as stack:
        stack.enter_context(team.product.operator())
        for daemon in names("daemon", DAEMONS):
            stack.enter_context(team.product.daemon(daemon))
        team.make_template()
        items = [a_workspace(name) for name in made]
        team.admin.create_all(items)
        for name in made:
            team.workspaces.until_latest(name, is_ready, seconds=240)
        team.admin.run("delete", "ws", "--wait=false", *made[:DESTROYED])
        for name in made[:DESTROYED]:
            team.workspaces.until_gone(name, seconds=240)
    transitions: dict[str, list[str]] = {}
    for body in sorted(team.admin.list_all("pj"), key=lambda body: str(body["metadata"]["name"])):
        if body["spec"]["type"] == "WorkspaceBuild":
            transitions.setdefault(body["spec"]["workspaceRef"]["name"], []).append(body["spec"]["transition"])
    for name in made:
        expected = ["Start", "Delete"] if name in made[:DESTROYED] else ["Start"]
        assert transitions[name] == expected
        by_users = len(expected)
        written = len(team.workspaces.versions(name)) - by_users
        assert written <= MOST_WRITES_PER_BUILD * len(expected)
    team.product.ledger.assert_nothing_twice()
    team.product.ledger.assert_no_overlap()

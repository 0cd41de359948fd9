"""A workspace whose Terraform state only a daemon has: the controller builds it no further, and says why."""

from typing import Any

from integration.workspaces.conftest import Team
from support.manifests import Manifest
from support.test_namespace import condition


def with_unsaved(team: Team, *states: dict[str, str]) -> None:
    """Let a daemon that runs nothing list these states."""
    team.admin.patch("pd", "keeper", {"status": {"unsavedStates": list(states)}}, subresource="status")


def is_blocked(body: Manifest) -> bool:
    return condition(body, "StateSaved").get("status") == "False"


def test_no_build_starts_until_the_state_is_saved(team: Team) -> None:
    team.make("dev")
    team.until("dev", "Running", build=1)
    team.product.a_daemon_without_process("keeper", tags={"is": "elsewhere"})
    state: dict[str, Any] = {"workspace": "dev", "job": "dev-1", "jobUID": "u1", "since": "2026-01-01T00:00:00Z"}
    with_unsaved(team, state | {"message": "exceeded quota"})
    message = condition(team.workspaces.until("dev", is_blocked), "StateSaved")["message"]
    assert "Daemon keeper keeps it" in message
    assert message.endswith("Now: exceeded quota.")

    team.change("dev", running=False)
    job = team.product.jobs.until("dev-2", lambda body: body.get("status", {}).get("reason") == "StateUnsaved")
    assert "docs/state.md" in job["status"]["message"]
    assert "docs/state.md" in condition(team.until("dev", "Pending", build=2), "Ready")["message"]

    with_unsaved(team)
    body = team.until("dev", "Stopped", build=2)
    assert condition(body, "StateSaved")["status"] == "True"

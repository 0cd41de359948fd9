"""Builds of a workspace: one job for each change of its spec."""

import json

import pytest

from integration.workspaces.conftest import Team, is_ready, reason_is
from support.test_namespace import condition


def test_a_workspace_is_started_changed_stopped_started_and_destroyed(team: Team) -> None:
    team.make("life", outputs=json.dumps({"url": "http://life"}))
    body = team.until("life", "Running", build=1)
    assert body["status"]["outputs"] == [{"name": "url", "value": "http://life"}]
    assert {each["name"]: each["value"] for each in body["status"]["parameters"]}["size"] == "1"
    assert is_ready(body)

    team.change("life", parameters=[{"name": "size", "value": "2"}])
    team.until("life", "Running", build=2)
    team.change("life", running=False)
    team.until("life", "Stopped", build=3)
    team.change("life", running=True)
    team.until("life", "Running", build=4)
    team.change("life", rebuildGeneration=1)
    team.until("life", "Running", build=5)
    team.admin.run("delete", "ws", "life", "--wait=false")
    team.workspaces.until_gone("life")

    assert team.transitions("life") == ["Start", "Start", "Stop", "Start", "Start", "Delete"]
    jobs = team.jobs_of("life")
    assert [body["metadata"]["name"] for body in jobs] == [f"life-{number}" for number in range(1, 7)]
    assert {body["status"]["phase"] for body in jobs} == {"Completed"}
    assert {each["name"]: each["value"] for each in jobs[-1]["spec"]["variables"]}["size"] == "2"


def test_kubectl_wait_returns_when_the_workspace_is_ready(team: Team) -> None:
    team.make("awaited", seconds=1)

    team.admin.run("wait", "--for=condition=Ready", "--timeout=60s", "ws/awaited")

    assert team.admin.get("ws", "awaited")["status"]["phase"] == "Running"


def test_changes_during_a_build_become_one_job(team: Team) -> None:
    team.make("busy", hold="true")
    team.product.ledger.await_run("busy-1")
    team.until("busy", "Starting", build=1)

    for size in ("2", "3", "4"):
        team.change("busy", parameters=[{"name": "size", "value": size}])
    team.await_seen("busy")
    team.product.ledger.release("busy-1")
    team.until("busy", "Running", build=2)

    assert [body["status"]["phase"] for body in team.jobs_of("busy")] == ["Completed", "Completed"]
    assert team.jobs_of("busy")[1]["spec"]["variables"][0] == {"name": "size", "value": "4"} or any(
        each == {"name": "size", "value": "4"} for each in team.jobs_of("busy")[1]["spec"]["variables"]
    )


def test_a_newer_change_supersedes_one_that_has_not_begun(team: Team) -> None:
    team.make("late", tags={"nobody": "has-it"})
    team.product.jobs.until("late-1", lambda body: body["status"].get("reason") == "NoMatchingDaemon")
    team.workspaces.until("late", lambda body: "nobody=has-it" in condition(body, "Ready")["message"])

    team.change("late", tags={"nobody": None}, rebuildGeneration=1)
    team.until("late", "Running", build=2)

    first, second = team.jobs_of("late")
    assert (first["status"]["phase"], second["status"]["phase"]) == ("Canceled", "Completed")
    assert first["spec"]["cancelReason"] == "superseded by a newer change of workspace late"


def test_a_failed_build_reports_its_error_and_is_not_retried(team: Team) -> None:
    team.make("broken", fail="no quota in us-central")
    body = team.workspaces.until("broken", reason_is("BuildFailed"))
    ready = condition(body, "Ready")
    assert "Build 1 (job broken-1) failed" in ready["message"]
    assert "no quota in us-central" in ready["message"]
    assert "raise spec.rebuildGeneration" in ready["message"]
    assert condition(body, "Stalled")["status"] == "True"

    team.change("broken", parameters=[{"name": "fail", "value": ""}])
    team.until("broken", "Running", build=2)

    assert team.transitions("broken") == ["Start", "Start"]


def test_a_canceled_build_is_not_retried_until_requested(team: Team) -> None:
    team.make("stopped", hold="true")
    team.product.ledger.await_run("stopped-1")
    team.product.cancel("stopped-1")
    body = team.workspaces.until("stopped", reason_is("BuildCanceled"))
    assert body["status"]["phase"] == "Canceled"

    team.change("stopped", rebuildGeneration=1, parameters=[])
    team.until("stopped", "Running", build=2)


def test_a_workspace_stops_at_its_autostop_time(team: Team) -> None:
    team.make("brief", autostopSeconds=2)

    team.until("brief", "Stopped", build=2)

    assert team.transitions("brief") == ["Start", "Stop"]


def test_a_workspace_deleted_during_its_start_is_destroyed_after_it(team: Team) -> None:
    team.make("short", hold="true")
    team.product.ledger.await_run("short-1")
    team.admin.run("delete", "ws", "short", "--wait=false")
    team.workspaces.until("short", lambda body: "deletionTimestamp" in body["metadata"])
    team.product.ledger.release("short-1")
    # A destroy has the parameters of the build that it destroys.
    team.product.ledger.await_run("short-2")
    team.product.ledger.release("short-2")

    team.workspaces.until_gone("short")

    assert team.transitions("short") == ["Start", "Delete"]


def test_a_failed_destroy_keeps_the_workspace_until_it_is_requested_again(team: Team) -> None:
    team.make("stubborn", hold="true")
    team.product.ledger.await_run("stubborn-1")
    team.product.ledger.release("stubborn-1")
    team.until("stubborn", "Running")
    team.admin.run("delete", "ws", "stubborn", "--wait=false")
    team.product.ledger.await_run("stubborn-2")
    team.product.cancel("stubborn-2")
    body = team.workspaces.until("stubborn", reason_is("DestroyCanceled"))
    assert "What was built may still exist" in condition(body, "Ready")["message"]

    team.change("stubborn", rebuildGeneration=1)
    team.product.ledger.await_run("stubborn-3")
    team.product.ledger.release("stubborn-3")
    team.workspaces.until_gone("stubborn")


def test_an_orphaned_workspace_is_removed_without_a_job(team: Team) -> None:
    team.make("orphan", deletionPolicy="Orphan")
    team.until("orphan", "Running")

    team.admin.run("delete", "ws", "orphan", "--wait=false")
    team.workspaces.until_gone("orphan")

    assert team.transitions("orphan") == ["Start"]


def test_a_workspace_that_was_never_built_needs_no_destroy(team: Team) -> None:
    team.make("never", running=False)
    team.until("never", "Stopped")

    team.admin.run("delete", "ws", "never")

    assert team.jobs_of("never") == []


def test_a_new_workspace_of_a_reused_name_continues_the_build_numbers(team: Team) -> None:
    team.make("again")
    team.until("again", "Running", build=1)
    team.admin.run("delete", "ws", "again")

    team.make("again")

    team.until("again", "Running", build=3)


def test_a_deleted_job_counts_as_canceled(team: Team) -> None:
    team.make("robbed", hold="true")
    team.product.ledger.await_run("robbed-1")
    team.until("robbed", "Starting")

    team.admin.run("delete", "pj", "robbed-1")
    body = team.workspaces.until("robbed", reason_is("BuildCanceled"))

    assert "was deleted before it ended" in condition(body, "Ready")["message"]


def test_what_a_build_made_is_destroyed_although_its_job_was_deleted_at_once(team: Team) -> None:
    team.make("torn", hold="true")
    team.product.ledger.await_run("torn-1")

    team.admin.run("delete", "pj", "torn-1")
    team.admin.run("delete", "ws", "torn", "--wait=false")
    team.product.ledger.await_run("torn-2")
    team.product.ledger.release("torn-2")
    team.workspaces.until_gone("torn")

    assert team.transitions("torn") == ["Delete"]


def test_nothing_is_destroyed_after_a_build_whose_job_was_deleted_while_it_waited(team: Team) -> None:
    team.make("unwanted", tags={"zone": "nowhere"})
    team.until("unwanted", "Pending", build=1)

    team.admin.run("delete", "pj", "unwanted-1")
    team.workspaces.until("unwanted", reason_is("BuildCanceled"))
    team.admin.run("delete", "ws", "unwanted", "--wait=false")
    team.workspaces.until_gone("unwanted")

    assert team.transitions("unwanted") == []


def test_a_workspace_without_its_template_waits_and_reports_it(team: Team) -> None:
    team.make("early", templateRef={"name": "coming"})
    team.workspaces.until("early", reason_is("TemplateNotFound"))

    team.make_template("coming")

    team.until("early", "Running", build=1)


@pytest.mark.parametrize("way", ["--cascade=foreground", "--cascade=orphan"])
def test_a_workspace_is_destroyed_with_every_kind_of_deletion(way: str, team: Team) -> None:
    name = f"way-{way.rpartition('=')[2]}"
    team.make(name)
    team.until(name, "Running")

    team.admin.run("delete", "ws", name, way)

    assert team.transitions(name) == ["Start", "Delete"]
    assert team.jobs_of(name)[1]["status"]["phase"] == "Completed"

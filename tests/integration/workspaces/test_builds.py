"""A workspace gets what its spec wants, by one job for each change."""

import json

import pytest

from integration.workspaces.conftest import Environments, is_ready, reason_is
from support.test_namespace import condition


def test_a_workspace_is_started_changed_stopped_started_and_destroyed(environments: Environments) -> None:
    environments.make("life", outputs=json.dumps({"url": "http://life"}))
    body = environments.until("life", "Running", build=1)
    assert body["status"]["outputs"] == [{"name": "url", "value": "http://life"}]
    assert {each["name"]: each["value"] for each in body["status"]["parameters"]}["size"] == "1"
    assert is_ready(body)

    environments.change("life", parameters=[{"name": "size", "value": "2"}])
    environments.until("life", "Running", build=2)
    environments.change("life", running=False)
    environments.until("life", "Stopped", build=3)
    environments.change("life", running=True)
    environments.until("life", "Running", build=4)
    environments.change("life", rebuildGeneration=1)
    environments.until("life", "Running", build=5)
    environments.admin.run("delete", "ws", "life", "--wait=false")
    environments.workspaces.until_gone("life")

    assert environments.transitions("life") == ["Start", "Start", "Stop", "Start", "Start", "Delete"]
    jobs = environments.jobs_of("life")
    assert [body["metadata"]["name"] for body in jobs] == [f"life-{number}" for number in range(1, 7)]
    assert {body["status"]["phase"] for body in jobs} == {"Completed"}
    assert {each["name"]: each["value"] for each in jobs[-1]["spec"]["variables"]}["size"] == "2"


def test_kubectl_waits_until_it_is_ready(environments: Environments) -> None:
    environments.make("awaited", seconds=1)

    environments.admin.run("wait", "--for=condition=Ready", "--timeout=60s", "ws/awaited")

    assert environments.admin.get("ws", "awaited")["status"]["phase"] == "Running"


def test_changes_that_come_while_a_job_runs_are_one_job(environments: Environments) -> None:
    environments.make("busy", hold="true")
    environments.site.ledger.await_run("busy-1")
    environments.until("busy", "Starting", build=1)

    for size in ("2", "3", "4"):
        environments.change("busy", parameters=[{"name": "size", "value": size}])
    environments.await_seen("busy")
    environments.site.ledger.release("busy-1")
    environments.until("busy", "Running", build=2)

    assert [body["status"]["phase"] for body in environments.jobs_of("busy")] == ["Completed", "Completed"]
    assert environments.jobs_of("busy")[1]["spec"]["variables"][0] == {"name": "size", "value": "4"} or any(
        each == {"name": "size", "value": "4"} for each in environments.jobs_of("busy")[1]["spec"]["variables"]
    )


def test_a_newer_change_takes_the_place_of_one_that_has_not_begun(environments: Environments) -> None:
    environments.make("late", tags={"nobody": "has-it"})
    environments.site.jobs.until("late-1", lambda body: body["status"].get("reason") == "NoMatchingDaemon")
    environments.workspaces.until("late", lambda body: "nobody=has-it" in condition(body, "Ready")["message"])

    environments.change("late", tags={"nobody": None}, rebuildGeneration=1)
    environments.until("late", "Running", build=2)

    first, second = environments.jobs_of("late")
    assert (first["status"]["phase"], second["status"]["phase"]) == ("Canceled", "Completed")
    assert first["spec"]["cancelReason"] == "superseded by a newer change of workspace late"


def test_a_failed_build_says_what_failed_and_is_not_retried(environments: Environments) -> None:
    environments.make("broken", fail="no quota in us-central")
    body = environments.workspaces.until("broken", reason_is("BuildFailed"))
    ready = condition(body, "Ready")
    assert "Build 1 (job broken-1) failed" in ready["message"]
    assert "no quota in us-central" in ready["message"]
    assert "raise spec.rebuildGeneration" in ready["message"]
    assert condition(body, "Stalled")["status"] == "True"

    environments.change("broken", parameters=[{"name": "fail", "value": ""}])
    environments.until("broken", "Running", build=2)

    assert environments.transitions("broken") == ["Start", "Start"]


def test_a_canceled_build_is_not_retried_until_that_is_asked_for(environments: Environments) -> None:
    environments.make("stopped", hold="true")
    environments.site.ledger.await_run("stopped-1")
    environments.site.cancel("stopped-1")
    body = environments.workspaces.until("stopped", reason_is("BuildCanceled"))
    assert body["status"]["phase"] == "Canceled"

    environments.change("stopped", rebuildGeneration=1, parameters=[])
    environments.until("stopped", "Running", build=2)


def test_it_stops_by_itself_when_its_time_is_up(environments: Environments) -> None:
    environments.make("brief", autostopSeconds=2)

    environments.until("brief", "Stopped", build=2)

    assert environments.transitions("brief") == ["Start", "Stop"]


def test_deleted_while_it_starts_it_is_destroyed_after_that(environments: Environments) -> None:
    environments.make("short", hold="true")
    environments.site.ledger.await_run("short-1")
    environments.admin.run("delete", "ws", "short", "--wait=false")
    environments.workspaces.until("short", lambda body: "deletionTimestamp" in body["metadata"])
    environments.site.ledger.release("short-1")
    # The parameters of a destroy are those of what is destroyed.
    environments.site.ledger.await_run("short-2")
    environments.site.ledger.release("short-2")

    environments.workspaces.until_gone("short")

    assert environments.transitions("short") == ["Start", "Delete"]


def test_a_destroy_that_fails_leaves_it_until_it_is_asked_for_again(environments: Environments) -> None:
    environments.make("stubborn", hold="true")
    environments.site.ledger.await_run("stubborn-1")
    environments.site.ledger.release("stubborn-1")
    environments.until("stubborn", "Running")
    environments.admin.run("delete", "ws", "stubborn", "--wait=false")
    environments.site.ledger.await_run("stubborn-2")
    environments.site.cancel("stubborn-2")
    body = environments.workspaces.until("stubborn", reason_is("BuildCanceled"))
    assert "What was built may still exist" in condition(body, "Ready")["message"]

    environments.change("stubborn", rebuildGeneration=1)
    environments.site.ledger.await_run("stubborn-3")
    environments.site.ledger.release("stubborn-3")
    environments.workspaces.until_gone("stubborn")


def test_an_orphan_goes_without_a_job(environments: Environments) -> None:
    environments.make("orphan", deletionPolicy="Orphan")
    environments.until("orphan", "Running")

    environments.admin.run("delete", "ws", "orphan", "--wait=false")
    environments.workspaces.until_gone("orphan")

    assert environments.transitions("orphan") == ["Start"]


def test_what_was_never_built_needs_no_destroy(environments: Environments) -> None:
    environments.make("never", running=False)
    environments.until("never", "Stopped")

    environments.admin.run("delete", "ws", "never")

    assert environments.jobs_of("never") == []


def test_a_new_workspace_of_an_old_name_goes_on_with_the_numbers(environments: Environments) -> None:
    environments.make("again")
    environments.until("again", "Running", build=1)
    environments.admin.run("delete", "ws", "again")

    environments.make("again")

    environments.until("again", "Running", build=3)


def test_a_job_that_somebody_deletes_counts_as_canceled(environments: Environments) -> None:
    environments.make("robbed", hold="true")
    environments.site.ledger.await_run("robbed-1")
    environments.until("robbed", "Starting")

    environments.admin.run("delete", "pj", "robbed-1")
    body = environments.workspaces.until("robbed", reason_is("BuildCanceled"))

    assert "was deleted before it ended" in condition(body, "Ready")["message"]


def test_without_its_template_it_waits_and_says_so(environments: Environments) -> None:
    environments.make("early", templateRef={"name": "coming"})
    environments.workspaces.until("early", reason_is("TemplateNotFound"))

    environments.make_template("coming")

    environments.until("early", "Running", build=1)


@pytest.mark.parametrize("way", ["--cascade=foreground", "--cascade=orphan"])
def test_however_it_is_deleted_it_is_destroyed(way: str, environments: Environments) -> None:
    name = f"way-{way.rpartition('=')[2]}"
    environments.make(name)
    environments.until(name, "Running")

    environments.admin.run("delete", "ws", name, way)

    assert environments.transitions(name) == ["Start", "Delete"]
    assert environments.jobs_of(name)[1]["status"]["phase"] == "Completed"

"""Versions of a template: stored, imported, activated, superseded and deleted."""

import json

import pytest

from integration.workspaces.conftest import PARAMETERS, Team, is_ready, reason_is
from support.builders.manifests import a_template_manifest
from support.manifests import Manifest
from support.test_namespace import condition


def _files(text: str) -> Manifest:
    return {"inline": {"files": {"main.tf": text}}}


def test_a_changed_source_becomes_a_version_and_workspaces_keep_the_old_one(
    team: Team,
) -> None:
    old = team.make_template("changing", source=_files("# 1"))
    team.make("manual", templateRef={"name": "changing"})
    team.make("always", templateRef={"name": "changing"}, updatePolicy="Always")
    team.make("on-start", templateRef={"name": "changing"}, updatePolicy="OnStart")
    for name in ("manual", "always", "on-start"):
        assert team.until(name, "Running", build=1)["status"]["version"] == old

    team.admin.patch("wst", "changing", {"spec": {"source": _files("# 2")}})
    body = team.templates.until("changing", lambda body: body["status"].get("activeVersion") not in {None, old})
    new = body["status"]["activeVersion"]
    assert team.until("always", "Running", build=2)["status"]["version"] == new
    assert team.until("manual", "Running", build=1)["status"]["version"] == old
    team.change("on-start", rebuildGeneration=1)
    team.change("manual", rebuildGeneration=1)
    assert team.until("on-start", "Running", build=2)["status"]["version"] == new
    assert team.until("manual", "Running", build=2)["status"]["version"] == old
    # A job of the old version still has the old files.
    assert team.admin.get("configmap", old)["data"] == {"main.tf": "# 1"}

    team.change("manual", templateRef={"name": "changing", "version": new})
    assert team.until("manual", "Running", build=3)["status"]["version"] == new


def test_a_version_imported_during_a_build_is_built_after_it(team: Team) -> None:
    old = team.make_template("moving", source=_files("# 1"))
    team.make("follower", templateRef={"name": "moving"}, updatePolicy="Always", hold="true")
    team.product.ledger.await_run("follower-1")
    team.admin.patch("wst", "moving", {"spec": {"source": _files("# 2")}})
    body = team.templates.until("moving", lambda body: body["status"].get("activeVersion") not in {None, old})

    team.product.ledger.release("follower-1")
    team.product.ledger.await_run("follower-2")
    team.product.ledger.release("follower-2")

    after = team.until("follower", "Running", build=2)
    assert after["status"]["version"] == body["status"]["activeVersion"]
    assert team.jobs_of("follower")[0]["spec"]["templateRef"]["version"] == old


def test_a_failed_import_is_reported_and_the_last_good_version_stays_active(team: Team) -> None:
    good = team.make_template("failing", source=_files("# 1"))
    # No daemon has the tag, and the job's pending timeout is a second.
    change = {"source": _files("# 2"), "tags": {"nobody": "has-it"}, "pendingTimeoutSeconds": 1}
    team.admin.patch("wst", "failing", {"spec": change})

    body = team.templates.until("failing", reason_is("ImportFailed"))

    assert body["status"]["activeVersion"] == good
    assert condition(body, "Available")["status"] == "True"
    assert "PendingTimeout" in json.dumps(body) or "did not start within 1 s" in condition(body, "Ready")["message"]
    assert f"Version {good} remains active" in condition(body, "Ready")["message"]
    retry = {"importGeneration": 1, "tags": {"nobody": None}, "pendingTimeoutSeconds": 60}
    team.admin.patch("wst", "failing", {"spec": retry})
    team.templates.until_latest("failing", is_ready)


def test_a_template_whose_parameters_cannot_be_used_fails_its_import(team: Team) -> None:
    color: Manifest = {"name": "color", "default": "Red", "validation": {"regex": "^[a-z]+$"}}
    team.admin.create(a_template_manifest("faulty", source=_files("# 1"), parameters=[color]))

    body = team.templates.until("faulty", reason_is("ImportFailed"))

    message = condition(body, "Ready")["message"]
    assert "Parameter color: its default 'Red' does not fit: it must match ^[a-z]+$." in message
    team.admin.patch("wst", "faulty", {"spec": {"parameters": [color | {"default": "red"}]}})
    team.templates.until_latest("faulty", is_ready)


@pytest.mark.parametrize("policy", ["Manual", "OnStart", "Always"])
def test_what_an_old_version_built_is_stopped_and_destroyed_whatever_the_template_became(
    team: Team, policy: str
) -> None:
    name, size = f"shrinks-{policy.lower()}", {"name": "size", "type": "number", "default": "1", "mutable": True}
    old = team.make_template(name, source=_files("# 1"), parameters=[size])
    values = [{"name": "size", "value": "4"}]
    team.make(name, templateRef={"name": name}, updatePolicy=policy, parameters=values)
    team.until(name, "Running", build=1)
    team.admin.patch("wst", name, {"spec": {"source": _files("# 2"), "parameters": [{"name": "zone"}]}})
    team.templates.until(name, lambda body: body["status"].get("activeVersion") not in {None, old})
    if policy == "Always":
        team.workspaces.until(name, reason_is("InvalidParameters"))

    team.change(name, running=False)
    team.until(name, "Stopped")
    team.admin.run("delete", "ws", name)

    jobs = team.jobs_of(name)
    assert [job["spec"]["transition"] for job in jobs] == ["Start", "Stop", "Delete"]
    assert [job["spec"]["templateRef"]["version"] for job in jobs] == [old] * 3
    assert [job["spec"]["variables"] for job in jobs] == [values] * 3


def test_an_old_version_is_destroyed_by_the_program_that_built_it(team: Team) -> None:
    old = team.make_template("switches", source=_files("# 1"))
    team.make("switches", templateRef={"name": "switches"})
    team.until("switches", "Running", build=1)
    team.admin.patch("wst", "switches", {"spec": {"provisioner": "terraform"}})
    team.templates.until("switches", lambda body: len(body["status"].get("versions", ())) == 2)

    team.admin.run("delete", "ws", "switches")

    jobs = team.jobs_of("switches")
    assert [job["spec"]["provisioner"] for job in jobs] == ["echo", "echo"]
    assert [job["spec"]["templateRef"]["version"] for job in jobs] == [old, old]


def _is_stalled_by_its_template(body: Manifest) -> bool:
    # At first the controller may not have observed the template, which stalls the workspace too.
    return (condition(body, "Stalled").get("status"), condition(body, "Ready")["reason"]) == (
        "True",
        "TemplateNotReady",
    )


def test_a_workspace_cannot_be_built_before_its_template_is_imported(team: Team) -> None:
    team.admin.create(a_template_manifest("never", tags={"nobody": "has-it"}, pendingTimeoutSeconds=1))
    team.make("waiting", templateRef={"name": "never"})

    team.workspaces.until("waiting", _is_stalled_by_its_template)
    assert team.jobs_of("waiting") == []


def test_files_of_a_config_map_are_stored_with_the_version(team: Team) -> None:
    source: Manifest = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "files"},
        "data": {"main.tf": "# 1"},
    }
    team.admin.create(a_template_manifest("mapped", source={"configMapRef": {"name": "files"}}))
    team.templates.until("mapped", reason_is("SourceUnavailable"))
    team.admin.create(source)
    team.admin.patch("wst", "mapped", {"spec": {"description": "Look again."}})
    first = team.templates.until("mapped", is_ready)["status"]["activeVersion"]

    team.admin.apply(source | {"data": {"main.tf": "# 2"}})
    team.admin.patch("wst", "mapped", {"spec": {"description": "And again."}})
    second = team.templates.until("mapped", lambda body: body["status"].get("activeVersion") not in {None, first})

    assert team.admin.get("configmap", first)["data"] == {"main.tf": "# 1"}
    assert team.admin.get("configmap", second["status"]["activeVersion"])["data"] == {"main.tf": "# 2"}


def test_files_in_folders_are_stored_with_the_version(team: Team) -> None:
    files = {"main.tf": "# one", "modules/a/main.tf": "# two"}
    team.admin.create(a_template_manifest("folders", source={"inline": {"files": files}}))
    version = team.templates.until("folders", is_ready)["status"]["activeVersion"]
    stored = team.admin.get("configmap", version)
    assert sorted(stored["data"].values()) == ["# one", "# two"]
    assert json.loads(stored["metadata"]["annotations"]["provisioner.dev/paths"]) == {"path-0": "modules/a/main.tf"}


def test_a_superseded_version_without_workspaces_is_deleted(team: Team) -> None:
    old = team.make_template("tidy", source=_files("# 1"), retention={"versionSeconds": 1})

    team.admin.patch("wst", "tidy", {"spec": {"source": _files("# 2")}})
    body = team.templates.until(
        "tidy",
        lambda body: (
            len(body["status"].get("versions", ())) == 1 and body["status"].get("activeVersion") not in {None, old}
        ),
    )

    assert [each["name"] for each in body["status"]["versions"]] != [old]
    assert not team.admin.attempt("get", "configmap", old).ok


def test_a_template_in_use_is_deleted_only_explicitly_and_removed_after_its_last_workspace(
    team: Team,
) -> None:
    team.make_template("used")
    team.make("user", templateRef={"name": "used"})
    team.until("user", "Running")
    team.templates.until_latest("used", lambda body: body["status"]["workspaces"] == 1)

    refusal = team.admin.refusal("delete", "wst", "used")
    assert '1 workspaces are made from template "used"' in refusal
    team.admin.run("annotate", "wst", "used", "provisioner.dev/allow-deletion=true")
    team.admin.run("delete", "wst", "used", "--wait=false")
    team.templates.until("used", reason_is("InUse"))
    team.make("too-late", templateRef={"name": "used"})
    team.workspaces.until("too-late", reason_is("TemplateNotFound"))
    team.admin.run("delete", "ws", "too-late", "user")

    team.templates.until_gone("used")
    assert team.transitions("user") == ["Start", "Delete"]


def test_a_second_apply_changes_nothing(team: Team) -> None:
    manifest = a_template_manifest("twice", source=_files("# 1"), parameters=PARAMETERS)
    team.admin.apply(manifest)
    team.templates.until("twice", is_ready)
    before = team.admin.get("wst", "twice")["metadata"]["generation"]

    answer = team.admin.apply(manifest)

    assert "unchanged" in answer.stdout
    assert team.admin.get("wst", "twice")["metadata"]["generation"] == before

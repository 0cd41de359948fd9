"""Versions of a template: kept, imported, put in force, superseded, discarded."""

import json

from integration.workspaces.conftest import PARAMETERS, Environments, is_ready, reason_is
from support.builders.manifests import a_template_manifest
from support.manifests import Manifest
from support.test_namespace import condition


def _files(text: str) -> Manifest:
    return {"inline": {"files": {"main.tf": text}}}


def test_a_change_of_the_source_makes_a_version_and_the_old_one_stays_for_who_has_it(
    environments: Environments,
) -> None:
    old = environments.make_template("changing", source=_files("# 1"))
    environments.make("manual", templateRef={"name": "changing"})
    environments.make("always", templateRef={"name": "changing"}, updatePolicy="Always")
    environments.make("on-start", templateRef={"name": "changing"}, updatePolicy="OnStart")
    for name in ("manual", "always", "on-start"):
        assert environments.until(name, "Running", build=1)["status"]["version"] == old

    environments.admin.patch("wst", "changing", {"spec": {"source": _files("# 2")}})
    body = environments.templates.until("changing", lambda body: body["status"].get("activeVersion") not in {None, old})
    new = body["status"]["activeVersion"]
    assert environments.until("always", "Running", build=2)["status"]["version"] == new
    assert environments.until("manual", "Running", build=1)["status"]["version"] == old
    environments.change("on-start", rebuildGeneration=1)
    environments.change("manual", rebuildGeneration=1)
    assert environments.until("on-start", "Running", build=2)["status"]["version"] == new
    assert environments.until("manual", "Running", build=2)["status"]["version"] == old
    # What a job of the old version is made of is still what it was.
    assert environments.admin.get("configmap", old)["data"] == {"main.tf": "# 1"}

    environments.change("manual", templateRef={"name": "changing", "version": new})
    assert environments.until("manual", "Running", build=3)["status"]["version"] == new


def test_a_version_that_comes_while_a_build_runs_is_built_after_it(environments: Environments) -> None:
    old = environments.make_template("moving", source=_files("# 1"))
    environments.make("follower", templateRef={"name": "moving"}, updatePolicy="Always", hold="true")
    environments.site.ledger.await_run("follower-1")
    environments.admin.patch("wst", "moving", {"spec": {"source": _files("# 2")}})
    body = environments.templates.until("moving", lambda body: body["status"].get("activeVersion") not in {None, old})

    environments.site.ledger.release("follower-1")
    environments.site.ledger.await_run("follower-2")
    environments.site.ledger.release("follower-2")

    after = environments.until("follower", "Running", build=2)
    assert after["status"]["version"] == body["status"]["activeVersion"]
    assert environments.jobs_of("follower")[0]["spec"]["templateRef"]["version"] == old


def test_a_version_whose_import_fails_is_told_and_the_last_good_one_stays_in_force(environments: Environments) -> None:
    good = environments.make_template("failing", source=_files("# 1"))
    # No daemon has the tag, and the job may wait but a second.
    change = {"source": _files("# 2"), "tags": {"nobody": "has-it"}, "pendingTimeoutSeconds": 1}
    environments.admin.patch("wst", "failing", {"spec": change})

    body = environments.templates.until("failing", reason_is("ImportFailed"))

    assert body["status"]["activeVersion"] == good
    assert condition(body, "Available")["status"] == "True"
    assert "PendingTimeout" in json.dumps(body) or "did not start within 1 s" in condition(body, "Ready")["message"]
    assert f"Version {good} remains active" in condition(body, "Ready")["message"]
    retry = {"importGeneration": 1, "tags": {"nobody": None}, "pendingTimeoutSeconds": 60}
    environments.admin.patch("wst", "failing", {"spec": retry})
    environments.templates.until_latest("failing", is_ready)


def _is_stalled_by_its_template(body: Manifest) -> bool:
    # At first the controller may not have heard of the template, which stalls the workspace too.
    return (condition(body, "Stalled").get("status"), condition(body, "Ready")["reason"]) == (
        "True",
        "TemplateNotReady",
    )


def test_a_workspace_cannot_be_built_before_its_template_is_imported(environments: Environments) -> None:
    environments.admin.create(a_template_manifest("never", tags={"nobody": "has-it"}, pendingTimeoutSeconds=1))
    environments.make("waiting", templateRef={"name": "never"})

    environments.workspaces.until("waiting", _is_stalled_by_its_template)
    assert environments.jobs_of("waiting") == []


def test_files_of_a_config_map_are_kept_as_they_were(environments: Environments) -> None:
    source: Manifest = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "files"},
        "data": {"main.tf": "# 1"},
    }
    environments.admin.create(a_template_manifest("mapped", source={"configMapRef": {"name": "files"}}))
    environments.templates.until("mapped", reason_is("SourceUnavailable"))
    environments.admin.create(source)
    environments.admin.patch("wst", "mapped", {"spec": {"description": "Look again."}})
    first = environments.templates.until("mapped", is_ready)["status"]["activeVersion"]

    environments.admin.apply(source | {"data": {"main.tf": "# 2"}})
    environments.admin.patch("wst", "mapped", {"spec": {"description": "And again."}})
    second = environments.templates.until(
        "mapped", lambda body: body["status"].get("activeVersion") not in {None, first}
    )

    assert environments.admin.get("configmap", first)["data"] == {"main.tf": "# 1"}
    assert environments.admin.get("configmap", second["status"]["activeVersion"])["data"] == {"main.tf": "# 2"}


def test_a_superseded_version_that_nobody_has_is_discarded(environments: Environments) -> None:
    old = environments.make_template("tidy", source=_files("# 1"), retention={"versionSeconds": 1})

    environments.admin.patch("wst", "tidy", {"spec": {"source": _files("# 2")}})
    body = environments.templates.until(
        "tidy",
        lambda body: (
            len(body["status"].get("versions", ())) == 1 and body["status"].get("activeVersion") not in {None, old}
        ),
    )

    assert [each["name"] for each in body["status"]["versions"]] != [old]
    assert not environments.admin.attempt("get", "configmap", old).ok


def test_a_template_in_use_is_deleted_only_by_who_says_so_and_goes_with_its_last_workspace(
    environments: Environments,
) -> None:
    environments.make_template("used")
    environments.make("user", templateRef={"name": "used"})
    environments.until("user", "Running")
    environments.templates.until_latest("used", lambda body: body["status"]["workspaces"] == 1)

    refusal = environments.admin.refusal("delete", "wst", "used")
    assert '1 workspaces are made from template "used"' in refusal
    environments.admin.run("annotate", "wst", "used", "provisioner.dev/allow-deletion=true")
    environments.admin.run("delete", "wst", "used", "--wait=false")
    environments.templates.until("used", reason_is("InUse"))
    environments.make("too-late", templateRef={"name": "used"})
    environments.workspaces.until("too-late", reason_is("TemplateNotFound"))
    environments.admin.run("delete", "ws", "too-late", "user")

    environments.templates.until_gone("used")
    assert environments.transitions("user") == ["Start", "Delete"]


def test_applied_again_nothing_changes(environments: Environments) -> None:
    manifest = a_template_manifest("twice", source=_files("# 1"), parameters=PARAMETERS)
    environments.admin.apply(manifest)
    environments.templates.until("twice", is_ready)
    before = environments.admin.get("wst", "twice")["metadata"]["generation"]

    answer = environments.admin.apply(manifest)

    assert "unchanged" in answer.stdout
    assert environments.admin.get("wst", "twice")["metadata"]["generation"] == before

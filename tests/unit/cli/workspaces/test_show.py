"""Everything about one workspace or template, in lines of text."""

from provisioner_operator.cli.workspaces.show import describe_template, describe_workspace
from support.builders.manifests import a_template_manifest, a_workspace_manifest
from support.builders.stored import stored

NOON = "2026-01-01T12:00:00Z"


def test_a_workspace_is_shown_with_its_builds_and_what_needs_attention() -> None:
    build = {"number": 2, "job": "dev-2", "transition": "Start", "version": "t-1", "phase": "Failed"}
    status = {
        "phase": "Failed",
        "version": "t-1",
        "parameters": [{"name": "size", "value": "2"}],
        "latestBuild": {**build, "reason": "RunFailed", "startedAt": NOON, "finishedAt": NOON},
        "lastRun": {**build, "number": 1, "job": "dev-1", "phase": "Completed", "finishedAt": NOON},
        "outputs": [{"name": "ip", "value": "10.0.0.1"}],
        "resources": [{"address": f"a.b[{number}]", "type": "a", "action": "create"} for number in range(21)],
        "conditions": [
            {"type": "Ready", "status": "False", "reason": "BuildFailed", "message": "No quota."},
            {"type": "Stalled", "status": "True", "reason": "BuildFailed", "message": "No quota."},
            {"type": "Outdated", "status": "True", "reason": "NewerVersion", "message": "Newer."},
        ],
    }
    body = stored(a_workspace_manifest("dev", owner="sam"), status=status)

    lines = [line.plain for line in describe_workspace(body, utc=True)]

    assert lines[0] == "dev in acme: Failed"
    assert "  Owner:         sam" in lines
    assert "  Parameters:    size=2" in lines
    assert "  BuildFailed: No quota." in lines
    assert "  NewerVersion: Newer." in lines
    assert sum("No quota." in line for line in lines) == 1
    assert f"  {NOON}  dev-2: Start  t-1  Failed (RunFailed)" in lines
    assert lines.index(f"  {NOON}  dev-1: Start  t-1  Completed") > lines.index("Builds")
    assert lines[-1] == "  and 1 more; -o json shows all"


def test_a_workspace_that_has_drifted_shows_what_was_changed_and_when_that_was_found() -> None:
    resource = {"address": "terraform_data.disk", "type": "terraform_data", "action": "replace"}
    status = {
        "phase": "Running",
        "drift": {"checkedAt": NOON, "buildNumber": 1, "job": "dev-drift-abc", "resources": [resource]},
        "conditions": [
            {"type": "Drifted", "status": "True", "reason": "DriftDetected", "message": "The disk is another."}
        ],
    }

    lines = [line.plain for line in describe_workspace(stored(a_workspace_manifest("dev"), status=status), utc=True)]

    assert f"  Drift checked: {NOON}" in lines
    assert "  DriftDetected: The disk is another." in lines
    assert lines[-2:] == ["Drift", "  replace  terraform_data.disk"]
    status["conditions"] = [{"type": "Drifted", "status": "False", "reason": "NoDrift", "message": "All is well."}]
    clean = describe_workspace(stored(a_workspace_manifest("dev"), status=status), utc=True)
    assert not [line for line in clean if "All is well." in line.plain]


def test_a_template_is_shown_with_its_versions_the_newest_first() -> None:
    versions = [
        {"name": "t-1", "phase": "Ready", "createdAt": NOON},
        {"name": "t-2", "phase": "Failed", "createdAt": NOON, "message": "No provider."},
    ]
    status = {"activeVersion": "t-1", "workspaces": 3, "versions": versions}
    body = stored(a_template_manifest("t", tags={"b": "2", "a": "1"}), status=status)

    lines = [line.plain for line in describe_template(body, utc=True)]

    assert lines[0] == "t in acme: t-1"
    assert "  Tags:          a=1 b=2" in lines
    assert lines[-3:] == ["Versions", f"  {NOON}  t-2: Failed: No provider.", f"  {NOON}  t-1: Ready, active"]


def test_an_object_that_the_controller_has_not_seen_is_shown_too() -> None:
    assert next(iter(describe_workspace(stored(a_workspace_manifest("dev")), utc=True))).plain == "dev in acme: "
    assert (
        next(iter(describe_template(stored(a_template_manifest("t")), utc=True))).plain == "t in acme: no version yet"
    )

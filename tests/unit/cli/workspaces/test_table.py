"""Lines of the lists of workspaces and templates, from objects as they are stored."""

from typing import Any

import pytest

from provisioner_operator.cli.output.table import Column
from provisioner_operator.cli.workspaces.table import (
    TemplateRow,
    WorkspaceRow,
    by_name,
    template_columns,
    template_row,
    workspace_columns,
    workspace_row,
)
from support.builders.core import NOON
from support.builders.manifests import a_template_manifest, a_workspace_manifest
from support.builders.stored import stored


def cells(columns: list[Column[Any]], row: WorkspaceRow | TemplateRow) -> dict[str, str]:
    found = {column.title: column.value(row) for column in columns}
    return {title: value if isinstance(value, str) else value.text if value else "" for title, value in found.items()}


def test_a_workspace_is_listed_with_its_latest_build() -> None:
    status: dict[str, Any] = {"phase": "Running", "buildNumber": 7, "latestBuild": {"job": "lab-7"}}
    status["conditions"] = [{"type": "Drifted", "status": "True"}]
    row = workspace_row(stored(a_workspace_manifest("lab", owner="sam"), status=status), NOON + 60)
    found = cells(workspace_columns(namespaced=True), row)
    assert (found["Namespace"], found["Name"], found["Template"], found["Owner"]) == ("acme", "lab", "template", "sam")
    assert (found["Status"], found["Build"], found["Job"], found["Age"]) == ("Running", "7", "lab-7", "1m")
    assert (found["Outdated"], found["Drifted"]) == ("", "True")


def test_an_object_without_a_status_has_empty_cells() -> None:
    row = template_row(stored(a_template_manifest("docker")), NOON)
    found = cells(template_columns(namespaced=False), row)
    assert (found["Active version"], found["Workspaces"], found["Ready"], found["Message"]) == ("", "", "", "")


@pytest.mark.parametrize(
    ("condition", "shown"),
    [
        ({"status": "True", "reason": "Imported"}, "True"),
        ({"status": "False", "reason": "ImportFailed"}, "ImportFailed"),
        ({"status": "Unknown"}, "Unknown"),
    ],
)
def test_the_condition_ready_is_shown_by_its_reason_unless_it_is_true(condition: dict[str, str], shown: str) -> None:
    status = {"conditions": [{"type": "Other", "status": "True"}, {"type": "Ready", "message": "m", **condition}]}
    found = cells(template_columns(namespaced=False), template_row(stored(a_template_manifest(), status=status), NOON))
    assert (found["Ready"], found["Message"]) == (shown, "m")


def test_names_are_in_natural_order() -> None:
    rows = [workspace_row(stored(a_workspace_manifest(name)), NOON) for name in ("lab-10", "lab-9")]
    assert [row.name for row in sorted(rows, key=by_name)] == ["lab-9", "lab-10"]

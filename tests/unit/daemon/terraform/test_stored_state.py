"""Runs that use a workspace's state, and whether there is one for a run that must not make it."""

import asyncio
from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import EndReason
from provisioner_operator.daemon.execution.provisioner import UnpreparedError
from provisioner_operator.daemon.terraform.stored_state import workspace_with_state
from provisioner_operator.kube import paths
from provisioner_operator.kube.errors import ForbiddenError
from unit.daemon.builders import Objects, a_secret, a_task

ELSEWHERE = {"backend": "Template", "backendConfig": [{"name": "key", "value": "$(provisioner_workspace)"}]}
SECRET = paths.secret("acme", "tfstate-default-dev-ws")


@pytest.mark.parametrize(
    ("spec", "stored", "workspace"),
    [
        ({}, {}, "dev"),
        ({"type": "WorkspacePlan"}, {}, None),
        ({"type": "WorkspacePlan", "keepPlan": True}, {}, "dev"),
        ({"type": "WorkspacePlan"}, {SECRET: a_secret(tfstate="")}, "dev"),
        ({"type": "WorkspacePlan", "state": ELSEWHERE}, {}, "dev"),
        ({"type": "TemplateImport", "transition": None}, {SECRET: a_secret(tfstate="")}, None),
    ],
)
def test_a_build_makes_a_state_and_a_plan_only_reads_one(
    spec: dict[str, Any], stored: dict[str, dict[str, str]], workspace: str | None
) -> None:
    assert asyncio.run(workspace_with_state(Objects(stored), a_task(**spec))) == workspace


def test_a_state_that_cannot_be_read_is_not_taken_for_an_empty_one() -> None:
    objects = Objects()
    objects.failure = ForbiddenError(403, "not permitted")
    with pytest.raises(UnpreparedError, match="Secret tfstate-default-dev-ws in namespace acme") as raised:
        asyncio.run(workspace_with_state(objects, a_task(type="WorkspacePlan")))
    assert raised.value.failure.reason is EndReason.RUN_FAILED


@pytest.mark.parametrize("type_", ["WorkspaceBuild", "WorkspacePlan"])
def test_a_run_on_a_state_needs_a_workspace(type_: str) -> None:
    with pytest.raises(UnpreparedError, match=f"A {type_} needs spec.workspaceRef"):
        asyncio.run(workspace_with_state(Objects(), a_task(type=type_, workspaceRef=None)))

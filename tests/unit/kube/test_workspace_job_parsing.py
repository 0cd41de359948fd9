"""A workspace's job becomes a build or a plan, with as much of its reason and message as the workspace tells."""

from typing import Any

import pytest

from provisioner_operator.core.jobs.outcome import Output, ResourceChange
from provisioner_operator.core.scheduling.explanation import STUCK
from provisioner_operator.core.workspaces.build_history import SUPERSEDED
from provisioner_operator.core.workspaces.decisions import SUPERSEDED_BY
from provisioner_operator.core.workspaces.records import Build, PlanJob
from provisioner_operator.kube.job_parsing import parse_job_records
from support.builders.manifests import a_job_manifest, an_assignment
from support.builders.stored import stored
from support.builders.workspaces import a_build, a_plan

NOON = "2027-01-15T08:00:00Z"
REFERENCE = {"name": "dev", "uid": "uid-of-dev", "buildNumber": 3, "change": "c"}
BY_A_CHANGE = f"{SUPERSEDED_BY} dev"


def status(phase: str, reason: str, *, started: bool = True, **fields: Any) -> dict[str, Any]:
    times = {"startedAt": NOON} if started else {}
    return {"phase": phase, "reason": reason, "message": "words"} | times | fields


def build(job_status: dict[str, Any], **spec: Any) -> Build | None:
    manifest = a_job_manifest("dev-3", **{"workspaceRef": REFERENCE} | spec)
    return parse_job_records(stored(manifest, status=job_status)).build


def plan(job_status: dict[str, Any], **spec: Any) -> PlanJob | None:
    manifest = a_job_manifest("dev-3", type="WorkspacePlan", keepPlan=True, **{"workspaceRef": REFERENCE} | spec)
    return parse_job_records(stored(manifest, status=job_status)).plan


QUEUED = status("Pending", "Queued", started=False)
WITHDRAWN = status("Canceled", "Canceled", started=False, finishedAt=NOON)


@pytest.mark.parametrize(
    ("job_status", "cancel_reason", "reason"),
    [
        (QUEUED, None, None),
        *((status("Pending", each, started=False), None, each) for each in sorted(STUCK)),
        (status("Running", "Running"), None, None),
        (status("Failed", "RunFailed", finishedAt=NOON), None, "RunFailed"),
        (status("Canceled", "Canceled", finishedAt=NOON), None, "Canceled"),
        (WITHDRAWN, None, "Canceled"),
        (WITHDRAWN, "I changed my mind", "Canceled"),
        # The job of an older change of the workspace.
        (WITHDRAWN, BY_A_CHANGE, SUPERSEDED),
        (status("Canceled", "Canceled", finishedAt=NOON), BY_A_CHANGE, "Canceled"),
        (status("Failed", "PendingTimeout", started=False, finishedAt=NOON), BY_A_CHANGE, "PendingTimeout"),
        (QUEUED, BY_A_CHANGE, None),
    ],
)
def test_a_workspace_tells_ends_and_what_needs_somebody_to_act(
    job_status: dict[str, Any], cancel_reason: str | None, reason: str | None
) -> None:
    built = build(job_status, cancelReason=cancel_reason)
    planned = plan(job_status, cancelReason=cancel_reason)

    assert built is not None
    assert planned is not None
    told = None if reason is None else "words"
    assert (built.record.reason, built.record.message) == (reason, told)
    assert (planned.record.reason, planned.record.message) == (reason, told)


def test_of_what_completed_only_a_plan_has_words() -> None:
    ended = status("Completed", "Completed", finishedAt=NOON, planDigest="d" * 64)
    built, planned = build(ended), plan(ended)

    assert built is not None
    assert planned is not None
    assert (built.record.reason, built.record.message) == (None, None)
    assert (planned.record.reason, planned.record.message, planned.record.digest) == (None, "words", "d" * 64)


@pytest.mark.parametrize(
    ("message", "told"), [(None, None), ("", None), ("x" * 1024, "x" * 1024), ("x" * 1025, "x" * 1023 + "…")]
)
def test_a_message_fits_into_the_workspaces_status(message: str | None, told: str | None) -> None:
    built = build(status("Failed", "RunFailed", finishedAt=NOON, message=message))

    assert built is not None
    assert built.record.message == told


def test_all_of_a_build_is_read() -> None:
    ended = status("Completed", "Completed", finishedAt=NOON, assignment=an_assignment()) | {
        "outputs": [{"name": "ip", "value": "10.0.0.1"}],
        "resources": [{"address": "disk", "type": "disk", "action": "create"}],
    }
    variables = [
        {"name": "size", "value": "4"},
        {"name": "empty", "value": ""},
        {"name": "token", "valueFrom": {"secretKeyRef": {"name": "cloud", "key": "token"}}},
    ]
    template = {"name": "docker", "version": "docker-2"}

    assert build(ended, variables=variables, templateRef=template, cancel=True) == a_build(
        3,
        change="c",
        version="docker-2",
        cancel=True,
        parameters=(("empty", ""), ("size", "4")),
        outputs=(Output("ip", "10.0.0.1"),),
        resources=(ResourceChange("disk", "disk", "create"),),
    )


def test_all_of_a_plan_is_read() -> None:
    ended = status("Completed", "Completed", finishedAt=NOON, planDigest="d" * 64)
    template = {"name": "docker", "version": "docker-2"}

    assert plan(ended, templateRef=template, cancel=True) == a_plan(
        3, change="c", version="docker-2", message="words", digest="d" * 64, cancel=True
    )


def test_a_job_that_names_no_change_has_an_empty_one() -> None:
    reference = {name: value for name, value in REFERENCE.items() if name != "change"}
    built, planned = build(QUEUED, workspaceRef=reference), plan(QUEUED, workspaceRef=reference)

    assert built is not None
    assert planned is not None
    assert (built.record.change, planned.record.change) == ("", "")


@pytest.mark.parametrize(
    "spec",
    [
        {"workspaceRef": None},
        {"workspaceRef": REFERENCE | {"uid": None}},
        {"workspaceRef": REFERENCE | {"buildNumber": None}},
        {"transition": None},
    ],
    ids=str,
)
def test_a_job_that_is_no_step_of_a_workspace_is_no_build_and_no_plan(spec: dict[str, Any]) -> None:
    assert build(QUEUED, **spec) is None
    assert plan(QUEUED, **spec) is None

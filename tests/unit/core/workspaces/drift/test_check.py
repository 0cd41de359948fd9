"""Checks of a workspace for drift: when one is due, what its job is, and what the status says of it."""

from dataclasses import replace
from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import Phase, Transition, VersionPhase
from provisioner_operator.api.v1alpha1.limits import LOWEST_PRIORITY, MOST_DRIFTED
from provisioner_operator.core.model.records import Condition
from provisioner_operator.core.workspaces.build_plan import WorkspacePlan
from provisioner_operator.core.workspaces.decisions import CreateBuild, CreateDriftCheck, UpdateWorkspaceStatus
from provisioner_operator.core.workspaces.drift.records import Drift, DriftCheck
from provisioner_operator.core.workspaces.drift.schedule import Slot, slot_at
from provisioner_operator.core.workspaces.records import Build, Workspace, WorkspaceStatus
from provisioner_operator.core.workspaces.refused_step import RefusedStep
from support.builders.build_plans import SIZE, planned, reported, true_conditions, wanted_change
from support.builders.core import NOON
from support.builders.workspaces import VERSION, a_build, a_drift_check, a_template, a_version, a_workspace

HOUR = 3600


def checked(**fields: Any) -> Workspace:
    return a_workspace(**({"drift_check": HOUR} | fields))


def built(workspace: Workspace, number: int = 1, **fields: Any) -> Build:
    return a_build(number, change=wanted_change(workspace), **fields)


def settled(workspace: Workspace, *builds: Build, **facts: Any) -> Workspace:
    """The workspace whose status says all that is known."""
    return replace(workspace, status=reported(workspace, *builds, **facts))


def next_slot(after: float = 0) -> Slot:
    """The first slot of the workspace that begins after this time, in seconds after noon."""
    return slot_at("uid-of-dev", HOUR, slot_at("uid-of-dev", HOUR, NOON + after).end)


def in_slot(workspace: Workspace, *builds: Build, late: float = 0, **facts: Any) -> WorkspacePlan:
    """The plan in the next slot, so many seconds after its start."""
    return planned(workspace, *builds, now=next_slot().start - NOON + late, **facts)


def drifted(status: WorkspaceStatus) -> Condition | None:
    return next((each for each in status.conditions if each.type == "Drifted"), None)


def words(status: WorkspaceStatus) -> tuple[str, str] | None:
    found = drifted(status)
    return None if found is None else (found.status, found.reason)


# --- when ---


def test_a_check_is_due_in_the_next_slot_after_the_build() -> None:
    workspace = settled(checked(), built(checked()))
    before = planned(workspace, now=1)

    assert (before.decision, before.requeue_after) == (None, next_slot().start - NOON - 1)
    plan = in_slot(workspace)
    assert isinstance(plan.decision, CreateDriftCheck)
    assert plan.decision.job == f"dev-drift-{next_slot().key}"
    late = in_slot(workspace, late=HOUR)
    assert late.decision is None
    assert late.requeue_after == next_slot().end - next_slot().start - HOUR


def test_the_next_stop_is_not_forgotten_over_the_next_check() -> None:
    timed = checked(autostop=60.0)

    assert planned(settled(timed, built(timed)), now=1).requeue_after == 59


@pytest.mark.parametrize(
    ("workspace", "builds"),
    [
        (a_workspace(), [built(checked())]),  # nobody asks for it
        (checked(running=False), []),  # never built
        (checked(), [built(checked(), phase=Phase.FAILED)]),
        (checked(), [built(checked()), built(checked(), 2, phase=Phase.RUNNING)]),
        (checked(), [built(checked()), built(checked(), 2, phase=Phase.PENDING)]),
        (checked(deleting=True), [built(checked()), a_build(2, phase=Phase.RUNNING, transition=Transition.DELETE)]),
    ],
    ids=["off", "never built", "never completed", "being built", "about to be built", "being deleted"],
)
def test_there_is_no_check_of(workspace: Workspace, builds: list[Build]) -> None:
    known = settled(workspace, *builds)

    plan = in_slot(known, *builds)

    assert not isinstance(plan.decision, CreateDriftCheck)
    assert plan.requeue_after is None


@pytest.mark.parametrize(
    "facts",
    [
        {"checks": (a_drift_check(phase=Phase.PENDING),)},
        {"unsaved": "the quota is used up"},
        {"refused": RefusedStep("CreateDriftCheck", "no")},
        {"template": a_template(active=None, status=replace(a_template().status, versions=()))},
        {"template": a_template(a_version(phase=VersionPhase.IMPORTING))},
    ],
    ids=["checked already", "unsaved", "refused", "no version", "version not ready"],
)
def test_there_is_no_check_while(facts: dict[str, Any]) -> None:
    workspace = settled(checked(), built(checked()))
    if "unsaved" in facts:
        workspace = settled(checked(), built(checked()), unsaved=facts["unsaved"])

    plan = in_slot(workspace, **facts)

    assert not isinstance(plan.decision, CreateDriftCheck)


def test_a_change_is_built_instead_of_checked() -> None:
    workspace = replace(settled(checked(), built(checked())), rebuild_generation=1)

    assert isinstance(in_slot(workspace).decision, CreateBuild)


def test_a_slot_has_one_check_whatever_the_clock_of_the_daemon_says() -> None:
    workspace = settled(checked(), built(checked()))
    job = f"dev-drift-{next_slot().key}"
    for finished in (next_slot().start - 100, next_slot().start + 5):
        done = replace(workspace, status=replace(workspace.status, drift=Drift(finished, 1, job)))
        plan = in_slot(done, late=10)

        assert (plan.decision, plan.requeue_after) == (None, next_slot().end - next_slot().start - 10)


# --- the job ---


def test_the_check_plans_the_last_build_with_its_version_and_values() -> None:
    workspace = checked(owner="sam", initiator="ada", parameters=(("size", "3"),), running=False)
    build = built(workspace, 7, transition=Transition.STOP, version=VERSION, parameters=(("size", "2"),))
    newer = a_template(
        a_version(),
        a_version("template-2"),
        active="template-2",
        parameters=(SIZE,),
        priority=5,
        allow_user_cancel=True,
    )

    plan = in_slot(settled(workspace, build, template=newer), template=newer)

    assert isinstance(plan.decision, CreateDriftCheck)
    body: Any = plan.decision.body()
    spec = body["spec"]
    assert body["metadata"]["name"] == plan.decision.job
    assert (spec["type"], spec["transition"], spec["source"]) == (
        "WorkspacePlan",
        "Stop",
        {"configMapRef": {"name": VERSION}},
    )
    assert spec["variables"] == [{"name": "size", "value": "2"}]
    assert spec["workspaceRef"] == {
        "name": "dev",
        "uid": "uid-of-dev",
        "buildNumber": 7,
        "owner": "sam",
        "change": build.record.change,
    }
    assert (spec["initiator"], spec["priority"], spec["ownerMayCancel"]) == ("ada", LOWEST_PRIORITY, True)


@pytest.mark.parametrize(("retention", "ttl"), [(604_800, HOUR), (60, 60)])
def test_an_ended_check_is_gone_before_the_next_one_ends(retention: int, ttl: int) -> None:
    template = a_template(job_retention=retention, parameters=(SIZE,))
    plan = in_slot(settled(checked(), built(checked())), template=template)

    assert isinstance(plan.decision, CreateDriftCheck)
    body: Any = plan.decision.body()
    assert body["spec"]["ttlSecondsAfterFinished"] == ttl


# --- the status ---


def found(*checks: DriftCheck, workspace: Workspace | None = None, **facts: Any) -> WorkspaceStatus:
    known = workspace or settled(checked(), built(checked()))
    return reported(known, checks=checks, **facts)


def test_a_workspace_that_was_not_checked_yet_says_so_with_the_write_of_its_build() -> None:
    status = reported(checked(), built(checked()))

    assert (words(status), status.drift) == (("Unknown", "NotChecked"), None)
    assert words(reported(a_workspace(), built(checked()))) is None
    assert words(reported(checked(running=False))) is None


def test_changed_resources_are_drift_and_the_workspace_is_ready_all_the_same() -> None:
    said = "A start would change 1 resource (1 to replace): replace disk. Nothing was changed."

    status = found(a_drift_check(changed=["disk"], message=said))

    assert words(status) == ("True", "DriftDetected")
    condition = drifted(status)
    assert condition is not None
    assert condition.message == (
        "Resources are not as build 1 left them. A start would change 1 resource (1 to replace): replace disk. To restore "
        "them, run `kubectl provisioner workspaces rebuild dev`, which raises spec.rebuildGeneration."
    )
    assert "Ready" in true_conditions(status)
    assert status.drift == Drift(NOON + 60, 1, "dev-drift-abc", a_drift_check(changed=["disk"]).resources)


def test_no_change_is_no_drift() -> None:
    status = found(a_drift_check(message="A start would change no resource. Nothing was changed."))

    condition = drifted(status)
    assert words(status) == ("False", "NoDrift")
    assert condition is not None
    assert condition.message == "All resources are as build 1 left them."


@pytest.mark.parametrize(
    ("phase", "message", "said"),
    [
        (Phase.FAILED, "No credentials.", "The check by job dev-drift-abc failed: No credentials."),
        (Phase.CANCELED, "", "The check by job dev-drift-abc was canceled."),
    ],
)
def test_a_check_that_did_not_complete_found_nothing_out(phase: Phase, message: str, said: str) -> None:
    status = found(a_drift_check(phase=phase, message=message, changed=["disk"]))

    condition = drifted(status)
    assert words(status) == ("Unknown", "CheckFailed")
    assert condition is not None
    assert condition.message == said


def test_a_status_is_bounded() -> None:
    status = found(a_drift_check(changed=[f"disk[{number}]" for number in range(256)], message="x" * 10_000))

    condition = drifted(status)
    assert status.drift is not None
    assert condition is not None
    assert len(status.drift.resources) == MOST_DRIFTED
    assert len(condition.message) < 2300


def test_the_time_of_the_transition_is_that_of_the_first_check_with_this_result() -> None:
    first = found(a_drift_check(changed=["disk"]), now=60)
    workspace = replace(checked(), status=first)

    second = found(a_drift_check(changed=["disk"], finished=7260), workspace=workspace, now=7260)

    assert [each.since for each in (drifted(first), drifted(second)) if each is not None] == [NOON + 60, NOON + 60]
    assert second.drift is not None
    assert second.drift.checked == NOON + 7260


def test_a_result_is_written_once_and_the_latest_counts() -> None:
    earlier, later = a_drift_check(changed=["disk"]), a_drift_check(finished=90, job_uid="another")

    status = found(later, earlier)

    assert words(status) == ("False", "NoDrift")
    assert planned(replace(checked(), status=status), checks=(later, earlier)).decision is None


def test_a_later_build_resets_what_was_found_once_it_has_ended() -> None:
    drift = replace(checked(), status=found(a_drift_check(changed=["disk"])), rebuild_generation=1)
    for phase, expected in (
        (Phase.RUNNING, ("True", "DriftDetected")),
        (Phase.COMPLETED, ("Unknown", "NotChecked")),
        (Phase.FAILED, ("Unknown", "NotChecked")),
    ):
        status = reported(drift, built(drift, 2, phase=phase))

        assert words(status) == expected
        assert (status.drift is None) is (phase is not Phase.RUNNING)
    condition = drifted(reported(drift, built(drift, 2, phase=Phase.FAILED)))
    assert condition is not None
    assert condition.message == "Build 2 did not complete, and only a completed build can be checked."


def test_a_check_of_a_former_build_or_during_a_build_counts_for_nothing() -> None:
    workspace = settled(checked(), built(checked()))
    again = replace(workspace, rebuild_generation=1)

    assert words(reported(again, built(again, 2), checks=(a_drift_check(changed=["disk"]),))) == (
        "Unknown",
        "NotChecked",
    )
    running = built(again, 2, phase=Phase.RUNNING)
    assert words(reported(again, running, checks=(a_drift_check(changed=["disk"]),))) == ("Unknown", "NotChecked")


def test_a_build_that_never_began_resets_nothing() -> None:
    drift = replace(checked(), status=found(a_drift_check(changed=["disk"])), rebuild_generation=1)

    status = reported(drift, built(drift, 2, phase=Phase.CANCELED, began=False))

    assert (words(status), status.drift) == (("True", "DriftDetected"), drift.status.drift)


@pytest.mark.parametrize("changes", [{"drift_check": None}, {"deleting": True}], ids=["off", "deleted"])
def test_nothing_is_left_once_it_is_off(changes: dict[str, Any]) -> None:
    drift = replace(checked(), status=found(a_drift_check(changed=["disk"])), **changes)
    builds = [a_build(2, phase=Phase.RUNNING, transition=Transition.DELETE)] if drift.deleting else []

    plan = planned(drift, *builds)

    assert isinstance(plan.decision, UpdateWorkspaceStatus)
    assert (words(plan.decision.status), plan.decision.status.drift) == (None, None)
    assert ("Ready" in true_conditions(plan.decision.status)) is not drift.deleting

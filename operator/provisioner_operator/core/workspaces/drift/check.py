"""Check a workspace for drift, by spec.driftCheckSeconds: the check that is due, and the condition Drifted. Used by `build_plan`.

A check plans the last completed build once more, so whatever it lists was changed outside of Terraform. It never applies.
Its result counts only as long as that build is the last one.
"""

from collections.abc import Sequence
from dataclasses import replace

from provisioner_operator.api.v1alpha1.enums import (
    ConditionStatus,
    DriftReason,
    Phase,
    StatusCondition,
    VersionPhase,
)
from provisioner_operator.api.v1alpha1.limits import MOST_DRIFTED
from provisioner_operator.api.v1alpha1.names import drift_job_name
from provisioner_operator.core.jobs.planned_changes import NOTHING_DONE
from provisioner_operator.core.model.conditions import with_condition
from provisioner_operator.core.model.json_patch import clip
from provisioner_operator.core.workspaces.build_history import BuildFacts, BuildHistory
from provisioner_operator.core.workspaces.decisions import CreateDriftCheck
from provisioner_operator.core.workspaces.drift.records import Drift, DriftCheck
from provisioner_operator.core.workspaces.drift.schedule import seconds_to_check, slot_at
from provisioner_operator.core.workspaces.records import BuildRecord, Template, Workspace, WorkspaceStatus

_LONGEST_QUOTE = 2048
"""Characters of a job's message in that of the condition."""


def with_drift(
    status: WorkspaceStatus, workspace: Workspace, history: BuildHistory, checks: Sequence[DriftCheck], now: float
) -> WorkspaceStatus:
    """Return the status with what is known of drift: nothing if it is not checked any more, or before a build has run."""
    run, former = history.last_run, workspace.status.drift
    if workspace.drift_check is None or workspace.deleting or run is None:
        conditions = tuple(each for each in status.conditions if each.type != StatusCondition.DRIFTED)
        return replace(status, drift=None, conditions=conditions)
    if history.is_building:
        # What a check has found meanwhile may be half of the build. Its end settles the result.
        return replace(status, drift=former)
    if former is not None and former.build != run.number:
        former = None
    check = _newest(run, checks, since=0 if former is None else former.checked)
    if check is not None:
        found = Drift(check.finished, check.build, check.job, check.resources[:MOST_DRIFTED])
        return _with_condition(replace(status, drift=found), *_result(workspace, run, check), now)
    if former is not None:
        return replace(status, drift=former)
    return _with_condition(replace(status, drift=None), *_unchecked(run), now)


def plan_check(
    workspace: Workspace, template: Template | None, history: BuildHistory, facts: BuildFacts, now: float
) -> tuple[CreateDriftCheck | None, float | None]:
    """Return the check that is due, and else the seconds to the next one; neither while there can be none."""
    run, interval = history.last_run, workspace.drift_check
    if interval is None or run is None or not _may_be_checked(run, history, facts):
        return None, None
    version = None if template is None else template.status.version(run.version)
    if template is None or version is None or version.phase is not VersionPhase.READY:
        return None, None
    slot, last = slot_at(workspace.uid, interval, now), workspace.status.drift
    job = drift_job_name(workspace.name, slot.key)
    since = max(run.finished or 0, 0 if last is None else last.checked)
    if last is not None and last.job == job:
        since = now  # the daemon's clock, by which a job ends, may be slow
    wait = seconds_to_check(slot, since, now)
    return (None, wait) if wait > 0 else (CreateDriftCheck(workspace, template, version, run, job), None)


def _may_be_checked(run: BuildRecord, history: BuildHistory, facts: BuildFacts) -> bool:
    if history.is_building or run.phase is not Phase.COMPLETED:
        return False
    # A plan with a state that is older than the resources would list what nobody changed.
    is_state_stored = facts.unsaved is None
    return is_state_stored and facts.refused is None and all(each.ended for each in facts.checks)


def _newest(run: BuildRecord, checks: Sequence[DriftCheck], since: float) -> DriftCheck | None:
    """Return the latest check of that build that has ended since."""
    ended = (each for each in checks if each.ended and each.build == run.number and each.finished > since)
    return max(ended, key=lambda each: each.finished, default=None)


def _result(workspace: Workspace, run: BuildRecord, check: DriftCheck) -> tuple[ConditionStatus, DriftReason, str]:
    said = clip(check.message.removesuffix(NOTHING_DONE).strip(), _LONGEST_QUOTE)
    if check.phase is not Phase.COMPLETED:
        end = "was canceled" if check.phase is Phase.CANCELED else "failed"
        detail = f": {said}" if said else "."
        return ConditionStatus.UNKNOWN, DriftReason.CHECK_FAILED, f"The check by job {check.job} {end}{detail}"
    if not check.resources:
        return ConditionStatus.FALSE, DriftReason.NO_DRIFT, f"All resources are as build {run.number} left them."
    message = (
        f"Resources are not as build {run.number} left them. {said} To restore them, run `kubectl provisioner workspaces rebuild "
        f"{workspace.name}`, which raises spec.rebuildGeneration."
    )
    return ConditionStatus.TRUE, DriftReason.DETECTED, message


def _unchecked(run: BuildRecord) -> tuple[ConditionStatus, DriftReason, str]:
    message = (
        f"Build {run.number} has not been checked yet."
        if run.phase is Phase.COMPLETED
        else f"Build {run.number} did not complete, and only a completed build can be checked."
    )
    return ConditionStatus.UNKNOWN, DriftReason.NOT_CHECKED, message


def _with_condition(
    status: WorkspaceStatus, holds: ConditionStatus, reason: DriftReason, message: str, now: float
) -> WorkspaceStatus:
    conditions = with_condition(status.conditions, StatusCondition.DRIFTED, holds, reason, message, now)
    return replace(status, conditions=conditions)

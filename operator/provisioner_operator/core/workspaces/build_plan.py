"""Plan the next step for a workspace: create, supersede or find a build, release the workspace, or write its status.

Pure; called by the workspace reconciler whenever the workspace, one of its jobs or its template may have changed.

Theory of operation. The desired state is named by its `change`, a digest of transition, version, parameters and
rebuildGeneration, and the job that builds it carries that digest. So the latest job alone shows whether the
desired state is built, being built or new, and nothing has to be remembered between two writes: a job is created first,
under the name that follows from its number, and only then the status records it. If the controller stops in between,
the next one finds the job by the watch, by a list, or because its name is taken. Changes gather while a job runs; when
it ends, they are built as one. A job that has not begun is superseded instead, unless it destroys.
"""

from dataclasses import dataclass, replace

from provisioner_operator.api.v1alpha1.enums import (
    ConditionStatus,
    Phase,
    Transition,
    VersionPhase,
    WorkspacePhase,
    WorkspaceReason,
)
from provisioner_operator.api.v1alpha1.names import DESTROY_FINALIZER
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.workspaces.approval.policy import plan_to_supersede, seconds_to_expiry, step_to_build
from provisioner_operator.core.workspaces.autostop import running_start, stop_time, stopped_by_autostop
from provisioner_operator.core.workspaces.blocked_step import Obstacle, attempt, is_blocked, report_refused_search
from provisioner_operator.core.workspaces.build_history import BuildFacts, BuildHistory
from provisioner_operator.core.workspaces.build_values import parameters_of, values_of_build, version_that_can_destroy
from provisioner_operator.core.workspaces.decisions import (
    BuildDecision,
    CheckWorkspace,
    CreateBuild,
    FindBuilds,
    HoldWorkspace,
    ReleaseWorkspace,
    Supersede,
    UpdateWorkspaceStatus,
)
from provisioner_operator.core.workspaces.deletion_policy import destroyed, may_be_released
from provisioner_operator.core.workspaces.desired_state import DesiredState, desired_start, desired_stop
from provisioner_operator.core.workspaces.drift.check import plan_check, with_drift
from provisioner_operator.core.workspaces.outdated import with_outdated
from provisioner_operator.core.workspaces.parameters import Resolution
from provisioner_operator.core.workspaces.phase import WORKING, Summary, Versions, describe
from provisioner_operator.core.workspaces.records import (
    BuildRecord,
    Template,
    Version,
    Workspace,
    WorkspaceStatus,
)
from provisioner_operator.core.workspaces.retry import is_due_again, retry_time, seconds_to_next_build
from provisioner_operator.core.workspaces.status import object_conditions, with_state_saved
from provisioner_operator.core.workspaces.update_policy import (
    version_of_next_start,
    version_of_rebuild,
    version_to_build,
    version_to_stop,
)

WAITING_DELAY_SECONDS = 2.0
RUNNING_DELAY_SECONDS = 1.0
"""A job that begins and ends within this delay costs one write."""


@dataclass(frozen=True, slots=True)
class WorkspacePlan:
    """Decision that is due for a workspace, and the seconds after which to plan again if nothing changes."""

    decision: BuildDecision | None = None
    requeue_after: float | None = None
    delay: float = 0.0
    """Seconds that a write of the status may wait for further changes."""


def plan_workspace(workspace: Workspace, template: Template | None, facts: BuildFacts, now: Instant) -> WorkspacePlan:
    """Return the next step; one that the API server refused is not repeated before its backoff ends."""
    history = BuildHistory.of(workspace, facts)
    if history is None or (_may_go_unbuilt(workspace, history) and not facts.searched):
        search = FindBuilds(workspace)
        return WorkspacePlan(report_refused_search(workspace, facts, now) if is_blocked(search, facts) else search)
    if workspace.deleting:
        return _plan_deletion(workspace, template, history, facts, now)
    desired, stops_at = _desired(workspace, template, history, facts, now)
    step, trouble = attempt(_next_step(workspace, template, desired, history, facts, now), facts)
    if step is not None:
        return WorkspacePlan(step)
    effective = history.last_run if history.is_already_built(desired.change) else history.effective_build
    status = with_state_saved(_status(workspace, template, history, effective, trouble, now), facts.unsaved, now.wall)
    status = with_drift(replace(status, stops_at=stops_at), workspace, history, facts.checks, now.wall)
    plan = _write(workspace, status, history, now)
    return plan if plan.decision is not None else _check_drift(workspace, template, history, facts, plan, now)


def _check_drift(
    workspace: Workspace,
    template: Template | None,
    history: BuildHistory,
    facts: BuildFacts,
    plan: WorkspacePlan,
    now: Instant,
) -> WorkspacePlan:
    check, wait = plan_check(workspace, template, history, facts, now.wall)
    waits = (each for each in (plan.requeue_after, wait) if each is not None)
    return WorkspacePlan(check, min(waits, default=None))


def _next_step(
    workspace: Workspace,
    template: Template | None,
    desired: DesiredState,
    history: BuildHistory,
    facts: BuildFacts,
    now: Instant,
) -> BuildDecision | Obstacle | None:
    if (build := history.build_to_supersede(desired.change)) is not None:
        return Supersede(workspace, build)
    if (plan := plan_to_supersede(workspace, desired.change, facts)) is not None:
        return Supersede(workspace, plan)
    if _is_to_be_built(desired, history, now):
        return _create(workspace, template, desired, history, facts, now)
    return None


def _is_to_be_built(desired: DesiredState, history: BuildHistory, now: Instant) -> bool:
    if history.is_building:
        return False
    return history.needs_build(desired.change, desired.transition) or is_due_again(history, desired.change, now.wall)


def _desired(
    workspace: Workspace, template: Template | None, history: BuildHistory, facts: BuildFacts, now: Instant
) -> tuple[DesiredState, float | None]:
    """Return the desired state, and the wall-clock time at which the workspace is to be stopped."""
    effective = history.effective_build
    if not workspace.running:
        return desired_stop(workspace, version_to_stop(workspace, history.last_run)), None
    active = _active_version(template)
    version = version_to_build(workspace, effective.version if effective is not None else None, active)
    start = desired_start(workspace, version)
    following = desired_start(workspace, version_of_next_start(workspace, version, active, history))
    timed = start
    if (running := running_start(history.last_run)) is not None and running.change != start.change:
        # What cannot be replaced goes on running, and its time runs out all the same.
        timed = running if isinstance(_create(workspace, template, following, history, facts, now), Obstacle) else start
    stopped = stopped_by_autostop(timed)
    if effective is not None and effective.change == stopped.change:
        return stopped, None
    stops_at = stop_time(workspace, timed, history.last_run)
    if stops_at is not None and stops_at <= now.wall:
        return stopped, None
    if not history.is_building and history.needs_build(start.change, start.transition):
        return following, stops_at
    return start, stops_at


# --- what can be built ---


def _create(
    workspace: Workspace,
    template: Template | None,
    desired: DesiredState,
    history: BuildHistory,
    facts: BuildFacts,
    now: Instant,
) -> BuildDecision | Obstacle:
    """Return the step towards a new build, or the reason why there can be none."""
    if template is None or (template.deleting and history.last_run is None):
        return _without_template(workspace, template)
    version = find_version(workspace, template, desired)
    if isinstance(version, Obstacle):
        return version
    resolution = values_of_build(workspace, template, version, desired.transition, history)
    if resolution.problems:
        return invalid_parameters(version, resolution, history)
    if DESTROY_FINALIZER not in workspace.finalizers and not workspace.deleting:
        return HoldWorkspace(workspace)
    if not facts.checked:
        # The status may be older than the jobs that have expired since, which nothing else records.
        return CheckWorkspace(workspace)
    number = max(history.latest_number, facts.floor, workspace.status.build_number) + 1
    build = CreateBuild(workspace, template, version, number, desired.transition, desired.change, resolution.values)
    return step_to_build(build, history, now.wall)


def _without_template(workspace: Workspace, template: Template | None) -> Obstacle:
    name = workspace.template
    message = (
        f"There is no WorkspaceTemplate {name} in namespace {workspace.namespace}. Create it."
        if template is None
        else f"WorkspaceTemplate {name} is being deleted and accepts no new workspaces. Choose another template."
    )
    return Obstacle(WorkspaceReason.TEMPLATE_NOT_FOUND, message)


def find_version(workspace: Workspace, template: Template, desired: DesiredState) -> Version | Obstacle:
    """Return the version to build, or the reason why there is none."""
    if desired.version is None:
        ready = next((each for each in template.status.conditions if each.type == "Ready"), None)
        is_observed = ready is not None and ready.status is not ConditionStatus.UNKNOWN
        said = f" {ready.message}" if ready is not None and is_observed else ""
        message = f"Template {template.name} has no version to build yet.{said}"
        stalled = any(each.type == "Stalled" and each.status == "True" for each in template.status.conditions)
        return Obstacle(WorkspaceReason.TEMPLATE_NOT_READY, message, passes=not stalled)
    version = template.status.version(desired.version)
    if version is None and desired.transition is not Transition.START:
        version = template.status.version(workspace.pinned_version)
    if version is None:
        names = ", ".join(each.name for each in template.status.versions) or "none"
        message = (
            f"Template {template.name} has no version {desired.version}; its versions are: {names}. "
            "Set spec.templateRef.version to one of them."
        )
        return Obstacle(WorkspaceReason.VERSION_NOT_FOUND, message)
    if version.phase is not VersionPhase.READY:
        message = f"Version {version.name} is {version.phase}: {version.message or f'see job {version.import_job}.'}"
        passes = version.phase is VersionPhase.IMPORTING
        return Obstacle(WorkspaceReason.VERSION_NOT_READY, message, passes=passes)
    return version


def invalid_parameters(version: Version, resolution: Resolution, history: BuildHistory) -> Obstacle:
    """Describe the parameters that prevent a start."""
    message = f"The parameters do not fit version {version.name}. {' '.join(resolution.problems)}"
    run = history.last_run
    if run is not None and run.version is not None and run.version != version.name:
        message += f" To stay with version {run.version}, set spec.templateRef.version to it."
    return Obstacle(WorkspaceReason.INVALID_PARAMETERS, message)


# --- the end ---


def _may_go_unbuilt(workspace: Workspace, history: BuildHistory) -> bool:
    """Return whether a deleted workspace seems never built: then all jobs must be listed before it is released."""
    is_held = workspace.deleting and DESTROY_FINALIZER in workspace.finalizers
    return is_held and history.last_run is None and not history.is_building


def _plan_deletion(
    workspace: Workspace, template: Template | None, history: BuildHistory, facts: BuildFacts, now: Instant
) -> WorkspacePlan:
    if DESTROY_FINALIZER not in workspace.finalizers:
        return WorkspacePlan()
    desired = destroyed(workspace, history, version_that_can_destroy(workspace, template, history))
    wanted_step = _next_step_to_end(workspace, template, desired, history, facts, now)
    step, trouble = attempt(wanted_step, facts)
    if step is not None:
        return WorkspacePlan(step)
    if trouble is not None and not isinstance(wanted_step, ReleaseWorkspace) and not trouble.is_complete:
        advice = (
            "Until then nothing is destroyed. To delete the workspace and keep what exists, "
            "set spec.deletionPolicy to Orphan."
        )
        trouble = replace(trouble, message=f"{trouble.message} {advice}")
    status = _status(workspace, template, history, history.effective_build, trouble, now)
    status = with_drift(with_state_saved(status, facts.unsaved, now.wall), workspace, history, (), now.wall)
    return _write(workspace, status, history, now)


def _next_step_to_end(
    workspace: Workspace,
    template: Template | None,
    desired: DesiredState,
    history: BuildHistory,
    facts: BuildFacts,
    now: Instant,
) -> BuildDecision | Obstacle | None:
    if history.build_to_supersede(desired.change) is None and may_be_released(workspace, history):
        return ReleaseWorkspace(workspace)
    return _next_step(workspace, template, desired, history, facts, now)


# --- the status ---


def _write(workspace: Workspace, status: WorkspaceStatus, history: BuildHistory, now: Instant) -> WorkspacePlan:
    looks = (
        seconds_to_next_build(status.stops_at, history, now.wall),
        seconds_to_expiry(workspace, history, now.wall),
    )
    look = min((each for each in looks if each is not None), default=None)
    if status == workspace.status:
        return WorkspacePlan(requeue_after=look)
    delay = 0.0
    if history.is_building and status.phase in (WorkspacePhase.PENDING, *WORKING.values()):
        delay = WAITING_DELAY_SECONDS if status.phase is WorkspacePhase.PENDING else RUNNING_DELAY_SECONDS
    return WorkspacePlan(UpdateWorkspaceStatus(workspace, status), look, delay)


def _status(
    workspace: Workspace,
    template: Template | None,
    history: BuildHistory,
    effective: BuildRecord | None,
    trouble: Obstacle | None,
    now: Instant,
) -> WorkspaceStatus:
    """Return the status, with the phase and conditions that follow from the effective build."""
    former, latest, run = workspace.status, history.latest, history.last_run_build
    active = _active_version(template)
    usable = version_that_can_destroy(workspace, template, history) if workspace.deleting else active
    versions = Versions(version_of_rebuild(workspace, history, usable), active)
    summary = describe(workspace, effective, versions, retry_time(history))
    if trouble is not None:
        summary = Summary(summary.phase, trouble.reason, trouble.message, under_way=trouble.passes)
    completed = run if run is not None and run.record.phase is Phase.COMPLETED else None
    conditions = object_conditions(
        former.conditions,
        ready=summary.ready,
        reason=summary.reason,
        message=summary.message,
        under_way=summary.under_way,
        now=now.wall,
    )
    return WorkspaceStatus(
        phase=summary.phase,
        build_number=max(former.build_number, history.latest_number),
        latest_build=latest,
        last_run=history.last_run,
        completed_build=history.completed,
        plan=history.plan if workspace.needs_approval else None,
        version=history.last_run.version if history.last_run is not None else None,
        parameters=former.parameters if run is None or template is None else parameters_of(run, template),
        outputs=former.outputs if completed is None else completed.outputs,
        resources=former.resources if completed is None else completed.resources,
        drift=former.drift,
        observed_generation=workspace.generation,
        conditions=with_outdated(conditions, workspace, template, effective, history, now.wall),
    )


def _active_version(template: Template | None) -> str | None:
    return template.status.active_version if template is not None else None

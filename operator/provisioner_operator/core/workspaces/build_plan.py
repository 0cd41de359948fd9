"""What a workspace needs next: a job for what is wanted, or nothing, or a job less; and its status.

Pure; asked by `workspace_mirror` whenever something about the workspace, its jobs or its template may have changed.

Theory of operation. What is wanted is named by its `change`, a digest of transition, version, parameters and
rebuildGeneration; the job that builds it carries that digest. So one look at the latest job tells whether the wish is
granted, under way, or new, and nothing has to be remembered between two writes: a job is created first, under the name
that its number gives, and only then the status tells of it. If the controller ends in between, the next one meets the
job, by the watch, by a list, or because its name is taken. While a job runs, changes gather; when it ends, what is
then wanted is one change. A job that has not begun is superseded instead, unless it is to destroy.
"""

import json
from dataclasses import dataclass, replace
from hashlib import sha256

from provisioner_operator.api.v1alpha1.enums import (
    DeletionPolicy,
    Phase,
    Transition,
    UpdatePolicy,
    VersionPhase,
    WorkspacePhase,
    WorkspaceReason,
)
from provisioner_operator.api.v1alpha1.names import DESTROY_FINALIZER
from provisioner_operator.core.jobs.lifecycle import STARTED
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.model.json_value import JsonValue
from provisioner_operator.core.workspaces.build_history import BuildFacts, BuildHistory
from provisioner_operator.core.workspaces.decisions import (
    BuildDecision,
    CreateBuild,
    FindBuilds,
    HoldWorkspace,
    ReleaseWorkspace,
    Supersede,
    UpdateWorkspaceStatus,
)
from provisioner_operator.core.workspaces.parameters import resolve
from provisioner_operator.core.workspaces.phase import WORKING, Summary, told
from provisioner_operator.core.workspaces.records import (
    BuildRecord,
    ParameterValues,
    Template,
    Version,
    Workspace,
    WorkspaceStatus,
)
from provisioner_operator.core.workspaces.status import standing

WAITING_DELAY_SECONDS = 2.0
RUNNING_DELAY_SECONDS = 1.0
"""A job that begins and ends at once is told of once."""


@dataclass(frozen=True, slots=True)
class WorkspacePlan:
    """What to do about a workspace now, and when to look again if nothing changes, in seconds."""

    decision: BuildDecision | None = None
    look_again_in: float | None = None
    delay: float = 0.0
    """A status may wait so long for further changes."""


@dataclass(frozen=True, slots=True)
class _Wish:
    """What is wanted."""

    transition: Transition
    change: str
    version: str | None
    """None while there is none to be built."""


@dataclass(frozen=True, slots=True)
class _Trouble:
    """Why what is wanted cannot be built."""

    reason: WorkspaceReason
    message: str
    passes: bool = False
    """Whether it may pass by itself."""


def plan_workspace(workspace: Workspace, template: Template | None, facts: BuildFacts, now: Instant) -> WorkspacePlan:
    """The next step."""
    history = BuildHistory.of(workspace, facts)
    if history is None or (workspace.deleting and _may_be_over(workspace, history) and not facts.searched):
        return WorkspacePlan(FindBuilds(workspace))
    if workspace.deleting:
        return _plan_deletion(workspace, template, history, facts, now)
    wish, stops_at = _wish(workspace, template, history, now)
    stops_in = None if stops_at is None else max(stops_at - now.wall, 0.0)
    trouble = None
    if history.is_building:
        if history.is_superseded_by(wish.change) and history.build is not None:
            return WorkspacePlan(Supersede(workspace, history.build))
    elif history.needs_build(wish.change, wish.transition):
        step = _create(workspace, template, wish, history, facts)
        if not isinstance(step, _Trouble):
            return WorkspacePlan(step)
        trouble = step
    shown = history.last_run if history.is_already_built(wish.change) else history.effective_build
    status = _status(workspace, template, history, shown, trouble, now)
    return _write(workspace, replace(status, stops_at=stops_at), history, stops_in)


def change_of(transition: Transition, *wanted: JsonValue) -> str:
    """The digest of a wish."""
    canonical = json.dumps([transition, *wanted], ensure_ascii=False, separators=(",", ":"))
    return sha256(canonical.encode(errors="surrogatepass")).hexdigest()[:16]


# --- what is wanted ---


def _wish(
    workspace: Workspace, template: Template | None, history: BuildHistory, now: Instant
) -> tuple[_Wish, float | None]:
    """What is wanted now, and when it is to be stopped."""
    former = history.effective_build.version if history.effective_build is not None else None
    active = template.status.active_version if template is not None else None
    version = workspace.pinned_version or former or active
    if workspace.update_policy is UpdatePolicy.ALWAYS and workspace.pinned_version is None:
        version = active or former
    if not workspace.running:
        return _wish_of(workspace, Transition.STOP, version), None
    wish = _wish_of(workspace, Transition.START, version)
    stopped = _stopped_by_itself(wish, version)
    if history.effective_build is not None and history.effective_build.change == stopped.change:
        return stopped, None
    stops_at = _stops_at(workspace, wish, history)
    if stops_at is not None and stops_at <= now.wall:
        return stopped, None
    updates = workspace.update_policy is UpdatePolicy.ON_START and workspace.pinned_version is None
    if updates and active is not None and not history.is_building and history.needs_build(wish.change, wish.transition):
        return _wish_of(workspace, Transition.START, active), None
    return wish, stops_at


def _wish_of(workspace: Workspace, transition: Transition, version: str | None) -> _Wish:
    change = change_of(transition, version, workspace.parameters, workspace.rebuild_generation)
    return _Wish(transition, change, version)


def _stopped_by_itself(wish: _Wish, version: str | None) -> _Wish:
    """The stop of what was started by this wish: it lasts until something else is wanted."""
    return _Wish(Transition.STOP, change_of(Transition.STOP, "autostop", wish.change), version)


def _stops_at(workspace: Workspace, wish: _Wish, history: BuildHistory) -> float | None:
    run = history.last_run
    if workspace.autostop is None or run is None or run.finished is None or run.phase is not Phase.COMPLETED:
        return None
    return run.finished + workspace.autostop if run.change == wish.change else None


# --- what can be built ---


def _create(
    workspace: Workspace, template: Template | None, wish: _Wish, history: BuildHistory, facts: BuildFacts
) -> BuildDecision | _Trouble:
    """The step towards a new build, or what is in its way."""
    if template is None or (template.deleting and history.last_run is None):
        return _without_template(workspace, template)
    version = _version(template, wish)
    if isinstance(version, _Trouble):
        return version
    if wish.transition is Transition.DELETE:
        values = _values_to_destroy(template, workspace, history)
    else:
        resolution = resolve(template.parameters, workspace.parameters, _built_values(template, workspace, history))
        if resolution.problems:
            return _Trouble(WorkspaceReason.INVALID_PARAMETERS, " ".join(resolution.problems))
        values = resolution.values
    if DESTROY_FINALIZER not in workspace.finalizers and not workspace.deleting:
        return HoldWorkspace(workspace)
    if facts.refusal is not None:
        return _Trouble(WorkspaceReason.BUILD_REFUSED, f"No job can be made: {facts.refusal}")
    latest = history.latest.number if history.latest is not None else 0
    number = max(latest, facts.floor, workspace.status.build_number) + 1
    return CreateBuild(workspace, template, version, number, wish.transition, wish.change, values)


def _without_template(workspace: Workspace, template: Template | None) -> _Trouble:
    name = workspace.template
    message = (
        f"There is no WorkspaceTemplate {name} in namespace {workspace.namespace}. Create it."
        if template is None
        else f"WorkspaceTemplate {name} is being deleted: nothing new is made from it. Choose another template."
    )
    return _Trouble(WorkspaceReason.TEMPLATE_NOT_FOUND, message)


def _version(template: Template, wish: _Wish) -> Version | _Trouble:
    if wish.version is None:
        ready = next((each for each in template.status.conditions if each.type == "Ready"), None)
        said = f" {ready.message}" if ready is not None else ""
        message = f"Template {template.name} has no version that can be built yet.{said}"
        stalled = any(each.type == "Stalled" and each.status == "True" for each in template.status.conditions)
        return _Trouble(WorkspaceReason.TEMPLATE_NOT_READY, message, passes=not stalled)
    version = template.status.version(wish.version)
    if version is None:
        names = ", ".join(each.name for each in template.status.versions) or "none"
        message = (
            f"Template {template.name} has no version {wish.version}; it has {names}. Name one in spec.templateRef."
        )
        return _Trouble(WorkspaceReason.VERSION_NOT_FOUND, message)
    if version.phase is not VersionPhase.READY:
        message = f"Version {version.name} is {version.phase}: {version.message or f'see job {version.import_job}.'}"
        passes = version.phase is VersionPhase.IMPORTING
        return _Trouble(WorkspaceReason.VERSION_NOT_READY, message, passes=passes)
    return version


def _built_values(template: Template, workspace: Workspace, history: BuildHistory) -> ParameterValues:
    """The parameters of the last build that began."""
    run, build = history.last_run, history.last_run_build
    if run is None:
        return ()
    if build is None:
        return workspace.status.parameters
    return _of_template(template, build.parameters)


def _values_to_destroy(template: Template, workspace: Workspace, history: BuildHistory) -> ParameterValues:
    """What was built is destroyed with what it was built with, whether or not that is still allowed."""
    defaults = {each.name: each.default for each in template.parameters if each.default is not None}
    values = defaults | dict(workspace.parameters) | dict(_built_values(template, workspace, history))
    return _of_template(template, tuple(sorted(values.items())))


# --- the end ---


def _may_be_over(workspace: Workspace, history: BuildHistory) -> bool:
    """Whether the deleted workspace would be let go, from what the status alone says."""
    return DESTROY_FINALIZER in workspace.finalizers and history.last_run is None and not history.is_building


def _plan_deletion(
    workspace: Workspace, template: Template | None, history: BuildHistory, facts: BuildFacts, now: Instant
) -> WorkspacePlan:
    if DESTROY_FINALIZER not in workspace.finalizers:
        return WorkspacePlan()
    wish = _Wish(
        Transition.DELETE,
        change_of(Transition.DELETE, workspace.rebuild_generation),
        history.last_run.version if history.last_run is not None else None,
    )
    orphans = workspace.deletion_policy is DeletionPolicy.ORPHAN
    trouble = None
    if history.is_superseded_by(wish.change) and history.build is not None:
        return WorkspacePlan(Supersede(workspace, history.build))
    if history.is_building:
        if orphans and history.latest is not None and history.latest.phase in STARTED:
            return WorkspacePlan(ReleaseWorkspace(workspace))
    elif orphans or history.last_run is None or _is_destroyed(history.last_run):
        return WorkspacePlan(ReleaseWorkspace(workspace))
    elif history.effective_build is None or history.effective_build.change != wish.change:
        step = _create(workspace, template, wish, history, facts)
        if not isinstance(step, _Trouble):
            return WorkspacePlan(step)
        trouble = replace(
            step,
            message=f"{step.message} Until then nothing is destroyed; spec.deletionPolicy Orphan lets it go as it is.",
        )
    return _write(
        workspace, _status(workspace, template, history, history.effective_build, trouble, now), history, None
    )


def _is_destroyed(run: BuildRecord) -> bool:
    return run.transition is Transition.DELETE and run.phase is Phase.COMPLETED


# --- the status ---


def _write(workspace: Workspace, status: WorkspaceStatus, history: BuildHistory, look: float | None) -> WorkspacePlan:
    if status == workspace.status:
        return WorkspacePlan(look_again_in=look)
    delay = 0.0
    if history.is_building and status.phase in (WorkspacePhase.PENDING, *WORKING.values()):
        delay = WAITING_DELAY_SECONDS if status.phase is WorkspacePhase.PENDING else RUNNING_DELAY_SECONDS
    return WorkspacePlan(UpdateWorkspaceStatus(workspace, status), look, delay)


def _status(
    workspace: Workspace,
    template: Template | None,
    history: BuildHistory,
    shown: BuildRecord | None,
    trouble: _Trouble | None,
    now: Instant,
) -> WorkspaceStatus:
    """The status; `shown` is the build that tells how the workspace is."""
    former, latest, run = workspace.status, history.latest, history.last_run_build
    telling = told(workspace, shown)
    if trouble is not None:
        telling = Summary(telling.phase, trouble.reason, trouble.message, under_way=trouble.passes)
    completed = run if run is not None and run.record.phase is Phase.COMPLETED else None
    return WorkspaceStatus(
        phase=telling.phase,
        build_number=max(former.build_number, latest.number if latest is not None else 0),
        latest_build=latest,
        last_run=history.last_run,
        version=history.last_run.version if history.last_run is not None else None,
        parameters=former.parameters if run is None or template is None else _of_template(template, run.parameters),
        outputs=former.outputs if completed is None else completed.outputs,
        resources=former.resources if completed is None else completed.resources,
        observed_generation=workspace.generation,
        conditions=standing(
            former.conditions,
            ready=telling.ready,
            reason=telling.reason,
            message=telling.message,
            under_way=telling.under_way,
            now=now.wall,
        ),
    )


def _of_template(template: Template, values: ParameterValues) -> ParameterValues:
    """Of a job's variables, those that are parameters."""
    names = {each.name for each in template.parameters}
    return tuple(each for each in values if each[0] in names)

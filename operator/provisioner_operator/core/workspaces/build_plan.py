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
from provisioner_operator.core.workspaces.build_history import BuildFacts, Past
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
from provisioner_operator.core.workspaces.phase import WORKING, Told, told
from provisioner_operator.core.workspaces.records import (
    BuildRecord,
    ParameterValues,
    Template,
    Version,
    Workspace,
    WorkspaceStatus,
)
from provisioner_operator.core.workspaces.status import object_conditions

WAITING_DELAY_SECONDS = 2.0
RUNNING_DELAY_SECONDS = 1.0
"""A job that begins and ends at once is told of once."""


@dataclass(frozen=True, slots=True)
class WorkspacePlan:
    """What to do about a workspace now, and when to look again if nothing changes, in seconds."""

    decision: BuildDecision | None = None
    requeue_after: float | None = None
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
    """Return the next step; one that the API server refused is not made before its pause is over."""
    past = Past.of(workspace, facts)
    if past is None or (workspace.deleting and _may_be_over(workspace, past) and not facts.searched):
        search = FindBuilds(workspace)
        return WorkspacePlan(search) if not _is_blocked(search, facts) else _plan_unsearched(workspace, facts, now)
    if workspace.deleting:
        return _plan_deletion(workspace, template, past, facts, now)
    wish, stops_at = _wish(workspace, template, past, now)
    stops_in = None if stops_at is None else max(stops_at - now.wall, 0.0)
    step, trouble = _attempt(_next_step(workspace, template, wish, past, facts), facts)
    if step is not None:
        return WorkspacePlan(step)
    shown = past.last_run if past.is_as_built(wish.change) else past.shown
    status = _status(workspace, template, past, shown, trouble, now)
    return _write(workspace, replace(status, stops_at=stops_at), past, stops_in)


def _next_step(
    workspace: Workspace, template: Template | None, wish: _Wish, past: Past, facts: BuildFacts
) -> BuildDecision | _Trouble | None:
    if past.must_give_way_to(wish.change) and past.build is not None:
        return Supersede(workspace, past.build)
    if not past.is_live and past.lacks(wish.change, wish.transition):
        return _create(workspace, template, wish, past, facts)
    return None


def change_of(transition: Transition, *wanted: JsonValue) -> str:
    """The digest of a wish."""
    canonical = json.dumps([transition, *wanted], ensure_ascii=False, separators=(",", ":"))
    return sha256(canonical.encode(errors="surrogatepass")).hexdigest()[:16]


# --- what is wanted ---


def _wish(workspace: Workspace, template: Template | None, past: Past, now: Instant) -> tuple[_Wish, float | None]:
    """What is wanted now, and when it is to be stopped."""
    former = past.shown.version if past.shown is not None else None
    active = template.status.active_version if template is not None else None
    version = workspace.pinned_version or former or active
    if workspace.update_policy is UpdatePolicy.ALWAYS and workspace.pinned_version is None:
        version = active or former
    if not workspace.running:
        return _wish_of(workspace, Transition.STOP, version), None
    wish = _wish_of(workspace, Transition.START, version)
    stopped = _stopped_by_itself(wish, version)
    if past.shown is not None and past.shown.change == stopped.change:
        return stopped, None
    stops_at = _stops_at(workspace, wish, past)
    if stops_at is not None and stops_at <= now.wall:
        return stopped, None
    updates = workspace.update_policy is UpdatePolicy.ON_START and workspace.pinned_version is None
    if updates and active is not None and not past.is_live and past.lacks(wish.change, wish.transition):
        return _wish_of(workspace, Transition.START, active), None
    return wish, stops_at


def _wish_of(workspace: Workspace, transition: Transition, version: str | None) -> _Wish:
    change = change_of(transition, version, workspace.parameters, workspace.rebuild_generation)
    return _Wish(transition, change, version)


def _stopped_by_itself(wish: _Wish, version: str | None) -> _Wish:
    """The stop of what was started by this wish: it lasts until something else is wanted."""
    return _Wish(Transition.STOP, change_of(Transition.STOP, "autostop", wish.change), version)


def _stops_at(workspace: Workspace, wish: _Wish, past: Past) -> float | None:
    run = past.last_run
    if workspace.autostop is None or run is None or run.finished is None or run.phase is not Phase.COMPLETED:
        return None
    return run.finished + workspace.autostop if run.change == wish.change else None


# --- what can be built ---


def _create(
    workspace: Workspace, template: Template | None, wish: _Wish, past: Past, facts: BuildFacts
) -> BuildDecision | _Trouble:
    """The step towards a new build, or what is in its way."""
    if template is None or (template.deleting and past.last_run is None):
        return _without_template(workspace, template)
    version = _version(template, wish)
    if isinstance(version, _Trouble):
        return version
    if wish.transition is Transition.DELETE:
        values = _values_to_destroy(template, workspace, past)
    else:
        resolution = resolve(template.parameters, workspace.parameters, _built_values(template, workspace, past))
        if resolution.problems:
            return _Trouble(WorkspaceReason.INVALID_PARAMETERS, " ".join(resolution.problems))
        values = resolution.values
    if DESTROY_FINALIZER not in workspace.finalizers and not workspace.deleting:
        return HoldWorkspace(workspace)
    latest = past.latest.number if past.latest is not None else 0
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


def _built_values(template: Template, workspace: Workspace, past: Past) -> ParameterValues:
    """The parameters of the last build that began."""
    run, build = past.last_run, past.last_run_build
    if run is None:
        return ()
    if build is None:
        return workspace.status.parameters
    return _of_template(template, build.parameters)


def _values_to_destroy(template: Template, workspace: Workspace, past: Past) -> ParameterValues:
    """What was built is destroyed with what it was built with, whether or not that is still allowed."""
    defaults = {each.name: each.default for each in template.parameters if each.default is not None}
    values = defaults | dict(workspace.parameters) | dict(_built_values(template, workspace, past))
    return _of_template(template, tuple(sorted(values.items())))


# --- what the API server refused ---


def _attempt(step: BuildDecision | _Trouble | None, facts: BuildFacts) -> tuple[BuildDecision | None, _Trouble | None]:
    """Return the step to take, or what is in its way; neither while it only waits for what passes by itself."""
    if isinstance(step, _Trouble):
        return None, step
    refused = facts.refused
    if refused is None or not _is_blocked(step, facts):
        return step, None
    reason = WorkspaceReason.BUILD_REFUSED if isinstance(step, CreateBuild) else WorkspaceReason.WRITE_REFUSED
    return None, None if refused.transient else _Trouble(reason, refused.message)


def _is_blocked(step: BuildDecision | None, facts: BuildFacts) -> bool:
    return facts.refused is not None and facts.refused.blocks(step)


def _plan_unsearched(workspace: Workspace, facts: BuildFacts, now: Instant) -> WorkspacePlan:
    """Of a workspace whose jobs cannot be listed only that is said."""
    if facts.refused is None or facts.refused.transient:
        return WorkspacePlan()
    conditions = object_conditions(
        workspace.status.conditions,
        ready=False,
        reason=WorkspaceReason.WRITE_REFUSED,
        message=facts.refused.message,
        under_way=False,
        now=now.wall,
    )
    status = replace(workspace.status, observed_generation=workspace.generation, conditions=conditions)
    return WorkspacePlan() if status == workspace.status else WorkspacePlan(UpdateWorkspaceStatus(workspace, status))


# --- the end ---


def _may_be_over(workspace: Workspace, past: Past) -> bool:
    """Whether the deleted workspace would be let go, from what the status alone says."""
    return DESTROY_FINALIZER in workspace.finalizers and past.last_run is None and not past.is_live


def _plan_deletion(
    workspace: Workspace, template: Template | None, past: Past, facts: BuildFacts, now: Instant
) -> WorkspacePlan:
    if DESTROY_FINALIZER not in workspace.finalizers:
        return WorkspacePlan()
    wish = _Wish(
        Transition.DELETE,
        change_of(Transition.DELETE, workspace.rebuild_generation),
        past.last_run.version if past.last_run is not None else None,
    )
    wanted_step = _next_step_to_end(workspace, template, wish, past, facts)
    step, trouble = _attempt(wanted_step, facts)
    if step is not None:
        return WorkspacePlan(step)
    if trouble is not None and not isinstance(wanted_step, ReleaseWorkspace):
        advice = "Until then nothing is destroyed; spec.deletionPolicy Orphan lets it go as it is."
        trouble = replace(trouble, message=f"{trouble.message} {advice}")
    return _write(workspace, _status(workspace, template, past, past.shown, trouble, now), past, None)


def _next_step_to_end(
    workspace: Workspace, template: Template | None, wish: _Wish, past: Past, facts: BuildFacts
) -> BuildDecision | _Trouble | None:
    orphans = workspace.deletion_policy is DeletionPolicy.ORPHAN
    if past.must_give_way_to(wish.change) and past.build is not None:
        return Supersede(workspace, past.build)
    if past.is_live:
        # A run that was begun goes on by itself; what waits is superseded first, so that nothing begins afterwards.
        is_begun = past.latest is not None and past.latest.phase in STARTED
        return ReleaseWorkspace(workspace) if orphans and is_begun else None
    if orphans or past.last_run is None or _is_destroyed(past.last_run):
        return ReleaseWorkspace(workspace)
    if past.shown is None or past.shown.change != wish.change:
        return _create(workspace, template, wish, past, facts)
    return None


def _is_destroyed(run: BuildRecord) -> bool:
    return run.transition is Transition.DELETE and run.phase is Phase.COMPLETED


# --- the status ---


def _write(workspace: Workspace, status: WorkspaceStatus, past: Past, look: float | None) -> WorkspacePlan:
    if status == workspace.status:
        return WorkspacePlan(requeue_after=look)
    delay = 0.0
    if past.is_live and status.phase in (WorkspacePhase.PENDING, *WORKING.values()):
        delay = WAITING_DELAY_SECONDS if status.phase is WorkspacePhase.PENDING else RUNNING_DELAY_SECONDS
    return WorkspacePlan(UpdateWorkspaceStatus(workspace, status), look, delay)


def _status(
    workspace: Workspace,
    template: Template | None,
    past: Past,
    shown: BuildRecord | None,
    trouble: _Trouble | None,
    now: Instant,
) -> WorkspaceStatus:
    """The status; `shown` is the build that tells how the workspace is."""
    former, latest, run = workspace.status, past.latest, past.last_run_build
    telling = told(workspace, shown)
    if trouble is not None:
        telling = Told(telling.phase, trouble.reason, trouble.message, under_way=trouble.passes)
    completed = run if run is not None and run.record.phase is Phase.COMPLETED else None
    return WorkspaceStatus(
        phase=telling.phase,
        build_number=max(former.build_number, latest.number if latest is not None else 0),
        latest_build=latest,
        last_run=past.last_run,
        version=past.last_run.version if past.last_run is not None else None,
        parameters=former.parameters if run is None or template is None else _of_template(template, run.parameters),
        outputs=former.outputs if completed is None else completed.outputs,
        resources=former.resources if completed is None else completed.resources,
        observed_generation=workspace.generation,
        conditions=object_conditions(
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

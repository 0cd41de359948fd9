"""Make the job that shows what a build of a workspace would change: a plan, which changes nothing. Pure.

Used by `workspaces plan` of the command line. The plan has version and parameters of the build that the controller would
create: both follow the same policies.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from provisioner_operator.api.v1alpha1.enums import Phase, Transition
from provisioner_operator.core.model.json_value import JsonObject
from provisioner_operator.core.model.request_errors import Cause, NotPossibleError
from provisioner_operator.core.workspaces.blocked_step import Obstacle
from provisioner_operator.core.workspaces.build_history import BuildFacts, BuildHistory
from provisioner_operator.core.workspaces.build_plan import find_version, invalid_parameters
from provisioner_operator.core.workspaces.build_values import values_of_build, version_that_can_destroy
from provisioner_operator.core.workspaces.desired_state import DesiredState
from provisioner_operator.core.workspaces.manifests import plan_job
from provisioner_operator.core.workspaces.records import Build, Template, Version, Workspace
from provisioner_operator.core.workspaces.update_policy import version_of_rebuild


@dataclass(frozen=True, slots=True)
class PreviewRequest:
    """The build to show; what is not given is as the workspace's spec has it."""

    transition: Transition | None = None
    version: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)


def preview_job(
    name: str, workspace: Workspace, template: Template, builds: Mapping[int, Build], request: PreviewRequest
) -> JsonObject:
    """Return the job of this name that shows the build. Raises NotPossibleError.

    Args:
        name: The job's name.
        workspace: The workspace as it is.
        template: Its template.
        builds: The workspace's builds that have not ended, by number.
        request: The build to show.
    """
    # A plan that is being made for approval is nobody's obstacle.
    known = replace(workspace, status=replace(workspace.status, plan=None))
    history = BuildHistory.of(known, BuildFacts(builds=builds))
    if history is None:
        message = "Its latest build ended or was deleted just now, and its status does not record that yet. Try again."
        raise NotPossibleError(Cause.BEING_BUILT, message)
    latest = history.latest
    if latest is not None and latest.phase in {Phase.RUNNING, Phase.CANCELING}:
        raise NotPossibleError(
            Cause.BEING_BUILT,
            f"It is being built (job {latest.job}): a plan would show a state in between. Wait for the end of that job.",
            name=latest.job,
        )
    transition = request.transition or _desired_transition(workspace, request)
    if transition is not Transition.START and (request.parameters or request.version):
        raise NotPossibleError(
            Cause.NOT_TO_BE_BUILT,
            f"A {transition.lower()} uses the version and the values that were built. Give others for a start only.",
        )
    changed = _changed(workspace, transition, request)
    version = _version(changed, template, transition, history)
    resolution = values_of_build(changed, template, version, transition, history)
    if resolution.problems:
        raise NotPossibleError(Cause.NOT_TO_BE_BUILT, invalid_parameters(version, resolution, history).message)
    number = max(0 if latest is None else latest.number, workspace.status.build_number) + 1
    return plan_job(
        name, workspace, template, version, number=number, transition=transition, parameters=resolution.values
    )


def _desired_transition(workspace: Workspace, request: PreviewRequest) -> Transition:
    if workspace.deleting:
        return Transition.DELETE
    asks_for_start = workspace.running or request.parameters or request.version
    return Transition.START if asks_for_start else Transition.STOP


def _changed(workspace: Workspace, transition: Transition, request: PreviewRequest) -> Workspace:
    """Return the workspace as it would be if the build were asked for."""
    return replace(
        workspace,
        running=transition is Transition.START,
        deleting=transition is Transition.DELETE,
        pinned_version=request.version or workspace.pinned_version,
        parameters=tuple(sorted((dict(workspace.parameters) | dict(request.parameters)).items())),
    )


def _version(workspace: Workspace, template: Template, transition: Transition, history: BuildHistory) -> Version:
    active = template.status.active_version
    usable = version_that_can_destroy(workspace, template, history) if workspace.deleting else active
    if history.last_run is None and transition is not Transition.START:
        raise NotPossibleError(Cause.NOT_TO_BE_BUILT, f"It was never built: there is nothing to {transition.lower()}.")
    name = version_of_rebuild(workspace, history, usable)
    found = find_version(workspace, template, DesiredState(transition, "", name))
    if isinstance(found, Obstacle):
        raise NotPossibleError(Cause.NOT_TO_BE_BUILT, found.message)
    return found

"""Policy of spec.updatePolicy: the version of its template that a workspace is built with.

A pinned version (spec.templateRef.version) wins over every policy. Otherwise Always follows the template's active
version, OnStart moves to it with the next start, and Manual keeps the version of the last build. Only a start moves: a
stop ends what was built, with the version that built it. Until a build has completed, there is nothing to keep: each start
that is due takes the active version, so that a corrected template reaches the workspace.
"""

from provisioner_operator.api.v1alpha1.enums import Phase, Transition, UpdatePolicy
from provisioner_operator.core.workspaces.build_history import BuildHistory
from provisioner_operator.core.workspaces.records import BuildRecord, Workspace


def version_to_build(workspace: Workspace, built: str | None, active: str | None) -> str | None:
    """Return the version of the next build, given the last one built and the active one; None if there is none."""
    if workspace.pinned_version is not None:
        return workspace.pinned_version
    if workspace.update_policy is UpdatePolicy.ALWAYS:
        return active or built
    return built or active


def version_to_stop(workspace: Workspace, last_run: BuildRecord | None) -> str | None:
    """Return the version of a stop: the one that was built last. A pin chooses another only after a stop has failed."""
    if last_run is None:
        return None
    has_failed = last_run.transition is Transition.STOP and last_run.phase in {Phase.FAILED, Phase.CANCELED}
    return workspace.pinned_version or last_run.version if has_failed else last_run.version


def version_of_next_start(
    workspace: Workspace, version: str | None, active: str | None, history: BuildHistory
) -> str | None:
    """Return the version of a start that is due anyway, and would otherwise be built with `version`."""
    updates = workspace.update_policy is UpdatePolicy.ON_START or not history.completed
    return active or version if updates and workspace.pinned_version is None else version


def moves_with_next_start(workspace: Workspace, history: BuildHistory) -> bool:
    """Return whether the next start builds the template's active version, without anybody choosing it."""
    follows = workspace.update_policy is not UpdatePolicy.MANUAL or not history.completed
    return follows and workspace.pinned_version is None and not workspace.deleting


def version_to_destroy(workspace: Workspace, history: BuildHistory, active: str | None) -> str | None:
    """Return the version that destroys what was built: the one that built it, unless that cannot be expected to work.

    A version of which no build completed may be unable to destroy; so may one that failed to. A pin then chooses another.
    """
    run = history.last_run
    if run is None:
        return None
    if not history.completed:
        return workspace.pinned_version or active or run.version
    return workspace.pinned_version or run.version if run.transition is Transition.DELETE else run.version


def version_of_rebuild(workspace: Workspace, history: BuildHistory, active: str | None) -> str | None:
    """Return the version that would be built if spec.rebuildGeneration were raised now."""
    if workspace.deleting:
        return version_to_destroy(workspace, history, active)
    if not workspace.running:
        return version_to_stop(workspace, history.last_run)
    effective = history.effective_build
    version = version_to_build(workspace, None if effective is None else effective.version, active)
    return version_of_next_start(workspace, version, active, history)

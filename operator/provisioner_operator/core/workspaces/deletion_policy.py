"""Policy of spec.deletionPolicy: the end of a deleted workspace.

Delete destroys what was built before the workspace goes; Orphan releases the workspace at once and leaves what exists.
A build that has not begun is superseded in both cases, so that it does not build for a workspace that is gone.
"""

from provisioner_operator.api.v1alpha1.enums import DeletionPolicy, Phase, Transition
from provisioner_operator.core.jobs.lifecycle import STARTED
from provisioner_operator.core.workspaces.build_history import BuildHistory
from provisioner_operator.core.workspaces.desired_state import DesiredState, change_of
from provisioner_operator.core.workspaces.records import Workspace
from provisioner_operator.core.workspaces.update_policy import version_to_destroy


def destroyed(workspace: Workspace, history: BuildHistory, active: str | None) -> DesiredState:
    """Return the state in which everything that was built is destroyed; `active` is the active version if that can do it."""
    version = version_to_destroy(workspace, history, active)
    return DesiredState(Transition.DELETE, change_of(Transition.DELETE, workspace.rebuild_generation), version)


def may_be_released(workspace: Workspace, history: BuildHistory) -> bool:
    """Return whether the deleted workspace may go now: nothing of it is left, or what is left is to be kept."""
    orphans = workspace.deletion_policy is DeletionPolicy.ORPHAN
    if history.latest is not None and history.is_building:
        return orphans and history.latest.phase in STARTED
    return orphans or has_nothing_to_destroy(history)


def has_nothing_to_destroy(history: BuildHistory) -> bool:
    """Return whether no build began, or the last one that did destroyed everything."""
    run = history.last_run
    return run is None or (run.transition is Transition.DELETE and run.phase is Phase.COMPLETED)

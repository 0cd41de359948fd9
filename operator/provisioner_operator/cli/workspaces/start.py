"""`workspaces start` and `workspaces stop`: change `spec.running`."""

from collections.abc import Sequence

from provisioner_operator.cli.api.changes import change
from provisioner_operator.cli.api.rebuilds import rebuild_patch
from provisioner_operator.cli.api.workspace_objects import WorkspaceState, workspace_state
from provisioner_operator.cli.errors import Exit, NothingToDoError, PreconditionError, combined
from provisioner_operator.cli.output.outcomes import for_each
from provisioner_operator.cli.session import Session
from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.kube import paths


def set_running(session: Session, names: Sequence[str], *, running: bool, dry_run: bool) -> Exit:
    """Start or stop these workspaces."""

    def set_one(name: str) -> str:
        path = paths.workspace(session.namespace, name)
        change(
            session.cluster, path, lambda body: running_patch(workspace_state(body), running=running), dry_run=dry_run
        )
        return f"will be {'started' if running else 'stopped'}{' (dry run)' if dry_run else ''}"

    return combined(for_each(session.terminal, names, set_one).values())


def running_patch(workspace: WorkspaceState, *, running: bool) -> JsonPatch:
    """Return the change that starts or stops the workspace.

    Raises PreconditionError if it is being deleted, NothingToDoError if its spec already asks for this state.
    """
    if workspace.deleting:
        raise PreconditionError("It is being deleted: nothing but its destruction can be built.")
    if running and workspace.is_autostopped:
        return rebuild_patch(workspace)
    if workspace.running is running:
        state = "running" if running else "stopped"
        raise NothingToDoError(f"is already set to be {state}; `workspaces rebuild` repeats its latest build")
    return JsonPatch(
        tests=(("/metadata/uid", workspace.meta.uid), ("/spec/running", workspace.running)),
        sets=(("/spec/running", running),),
    )

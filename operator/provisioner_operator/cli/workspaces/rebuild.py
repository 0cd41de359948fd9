"""`workspaces rebuild`: build the desired state again, by raising `spec.rebuildGeneration`."""

from collections.abc import Sequence

from provisioner_operator.cli.api.changes import change
from provisioner_operator.cli.api.rebuilds import describe_rebuild
from provisioner_operator.cli.errors import Exit, combined
from provisioner_operator.cli.output.outcomes import for_each
from provisioner_operator.cli.session import Session
from provisioner_operator.core.workspaces.requests import rebuild_patch
from provisioner_operator.kube import paths
from provisioner_operator.kube.workspace_states import workspace_state


def rebuild_workspaces(session: Session, names: Sequence[str], *, dry_run: bool) -> Exit:
    """Raise `spec.rebuildGeneration` of these workspaces."""

    def rebuild_one(name: str) -> str:
        path = paths.workspace(session.namespace, name)
        before = change(session.cluster, path, lambda body: rebuild_patch(workspace_state(body)), dry_run=dry_run)
        return describe_rebuild(workspace_state(before), dry_run=dry_run)

    return combined(for_each(session.terminal, names, rebuild_one).values())

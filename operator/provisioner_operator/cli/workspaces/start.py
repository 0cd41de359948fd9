"""`workspaces start` and `workspaces stop`: change `spec.running`."""

from collections.abc import Sequence

from provisioner_operator.cli.api.changes import change
from provisioner_operator.cli.errors import Exit, combined
from provisioner_operator.cli.output.outcomes import for_each
from provisioner_operator.cli.session import Session
from provisioner_operator.core.workspaces.requests import running_patch
from provisioner_operator.kube import paths
from provisioner_operator.kube.workspace_states import workspace_state


def set_running(session: Session, names: Sequence[str], *, running: bool, dry_run: bool) -> Exit:
    """Start or stop these workspaces."""

    def set_one(name: str) -> str:
        path = paths.workspace(session.namespace, name)
        change(
            session.cluster, path, lambda body: running_patch(workspace_state(body), running=running), dry_run=dry_run
        )
        return f"will be {'started' if running else 'stopped'}{' (dry run)' if dry_run else ''}"

    return combined(for_each(session.terminal, names, set_one).values())

"""`workspaces update`: move workspaces to the active version of their template."""

from collections.abc import Sequence

from provisioner_operator.cli.api.changes import change
from provisioner_operator.cli.errors import Exit, combined
from provisioner_operator.cli.output.outcomes import for_each
from provisioner_operator.cli.session import Session
from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.core.workspaces.requests import update_patch
from provisioner_operator.kube import paths
from provisioner_operator.kube.object_states import Body
from provisioner_operator.kube.workspace_states import template_state, workspace_state


def update_workspaces(session: Session, names: Sequence[str], *, dry_run: bool) -> Exit:
    """Move these workspaces to the active versions of their templates."""

    def update_one(name: str) -> str:
        active = ""

        def decide(body: Body) -> JsonPatch:
            nonlocal active
            workspace = workspace_state(body)
            template = session.cluster.get(paths.template(session.namespace, workspace.template))
            active = template_state(template).active_version
            return update_patch(workspace, active)

        before = change(session.cluster, paths.workspace(session.namespace, name), decide, dry_run=dry_run)
        former = workspace_state(before).latest_version or "no version"
        return f"moves from {former} to {active}{' (dry run)' if dry_run else ''}"

    return combined(for_each(session.terminal, names, update_one).values())

"""`templates import`: import the source of templates again, by raising `spec.importGeneration`."""

from collections.abc import Sequence

from provisioner_operator.cli.api.changes import change
from provisioner_operator.cli.errors import Exit, combined
from provisioner_operator.cli.output.outcomes import for_each
from provisioner_operator.cli.session import Session
from provisioner_operator.core.workspaces.requests import import_patch
from provisioner_operator.kube import paths
from provisioner_operator.kube.workspace_states import template_state


def import_templates(session: Session, names: Sequence[str], *, dry_run: bool) -> Exit:
    """Raise `spec.importGeneration` of these templates."""

    def import_one(name: str) -> str:
        path = paths.template(session.namespace, name)
        change(session.cluster, path, lambda body: import_patch(template_state(body)), dry_run=dry_run)
        return f"will be imported again{' (dry run)' if dry_run else ''}"

    return combined(for_each(session.terminal, names, import_one).values())

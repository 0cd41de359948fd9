"""`workspaces update`: move workspaces to the active version of their template."""

from collections.abc import Sequence

from provisioner_operator.api.v1alpha1.enums import Transition, UpdatePolicy
from provisioner_operator.cli.api.changes import change
from provisioner_operator.cli.api.objects import Body
from provisioner_operator.cli.api.rebuilds import rebuild_patch
from provisioner_operator.cli.api.workspace_objects import WorkspaceState, template_state, workspace_state
from provisioner_operator.cli.errors import Exit, NothingToDoError, PreconditionError, combined
from provisioner_operator.cli.output.outcomes import for_each
from provisioner_operator.cli.session import Session
from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.kube import paths


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


def update_patch(workspace: WorkspaceState, active: str) -> JsonPatch:
    """Return the change that builds the workspace with the active version of its template.

    Raises PreconditionError if the template has none, NothingToDoError if the workspace uses it, or moves by itself.
    """
    if not active:
        raise PreconditionError(
            f"Template {workspace.template} has no active version yet: `templates show {workspace.template}` says why."
        )
    follows = workspace.update_policy is not UpdatePolicy.MANUAL and not workspace.deleting
    moves_by_itself = workspace.pinned_version is None and follows
    if active == (workspace.pinned_version or workspace.latest_version or active):
        raise NothingToDoError(f"uses the active version {active} already; `workspaces rebuild` builds it again")
    if moves_by_itself and workspace.desired_transition is Transition.STOP:
        raise NothingToDoError(f"moves to {active} when it is started: its updatePolicy is {workspace.update_policy}")
    if moves_by_itself and workspace.update_policy is UpdatePolicy.ALWAYS:
        raise NothingToDoError(f"moves to {active} by itself: its updatePolicy is Always")
    if moves_by_itself:
        return rebuild_patch(workspace)
    pin = JsonPatch(
        tests=(("/metadata/uid", workspace.meta.uid), ("/spec/templateRef/version", workspace.pinned_version)),
        sets=(("/spec/templateRef/version", active),),
    )
    if not workspace.deleting:
        return pin
    again = rebuild_patch(workspace)  # a destroy is repeated only if it is asked for again
    return JsonPatch(tests=(*pin.tests, *again.tests[1:]), sets=(*pin.sets, *again.sets))

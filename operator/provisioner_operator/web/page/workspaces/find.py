"""Find the workspace that an address names, and the version that its template offers."""

from http import HTTPStatus

from provisioner_operator.api.v1alpha1.names import WORKSPACES
from provisioner_operator.kube.workspace_states import template_state
from provisioner_operator.web.access.caller import Caller
from provisioner_operator.web.context import WebContext
from provisioner_operator.web.index.cluster_index import ClusterIndex
from provisioner_operator.web.index.rows import ObjectRow
from provisioner_operator.web.page.requests import require_name, require_ready, require_visible
from provisioner_operator.web.problems import Problem


async def find_workspace(context: WebContext, caller: Caller, org: str, name: str) -> ObjectRow:
    """Return the workspace as the index has it. Raises Problem (404, 403)."""
    require_ready(context)
    await require_visible(caller, WORKSPACES, require_name(org))
    row = context.index.workspaces.named(org, require_name(name))
    if row is None:
        raise Problem(HTTPStatus.NOT_FOUND, f"There is no workspace {name} in organization {org}.")
    return row


def active_version(index: ClusterIndex, workspace: ObjectRow) -> str:
    """Return the active version of its template; empty if there is none. Its condition Outdated names it too."""
    template = index.templates.named(workspace.namespace, workspace.body["spec"]["templateRef"]["name"])
    return template_state(template.body).active_version if template is not None else ""

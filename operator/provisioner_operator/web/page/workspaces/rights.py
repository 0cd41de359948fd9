"""Rights to change workspaces, and the reasons for which their buttons do nothing. The API server decides.

The rule is that of the policy `workspace-owner` (`manifests/policies`): beside the verb, a user needs to own the workspace,
or to act for others.
"""

from dataclasses import dataclass

from provisioner_operator.api.v1alpha1.names import WORKSPACES
from provisioner_operator.web.access.caller import Caller
from provisioner_operator.web.page.live import Rights
from provisioner_operator.web.page.words import missing_right

_EITHER_ROLE = "provisioner-submitter, or for workspaces of others provisioner-admin,"


@dataclass(frozen=True, slots=True)
class WorkspaceRights:
    """Rights of a user in some namespaces, as far as the server knows."""

    user: str
    """Name of the user; empty for anybody with these rights who owns none of the workspaces."""
    changeable: frozenset[str]
    deletable: frozenset[str]
    foreign: frozenset[str]
    """Those of both in which the user may act for other owners."""

    @property
    def lasting(self) -> Rights:
        """Those whose withdrawal ends a live stream."""
        return self.changeable, self.deletable, self.foreign

    def depends_on_owner(self, namespace: str) -> bool:
        """Return whether owners may change workspaces of a namespace that others may not."""
        return namespace in (self.changeable | self.deletable) - self.foreign

    def denial(self, verb: str, namespace: str, owner: str) -> str:
        """Return the reason for which the user may not patch or delete a workspace; empty if there is none."""
        doing = f"{'change' if verb == 'patch' else verb} this workspace"
        if namespace not in (self.changeable if verb == "patch" else self.deletable):
            return missing_right(doing, verb, WORKSPACES, _EITHER_ROLE)
        if owner in ("", self.user) or namespace in self.foreign:
            return ""
        return missing_right(f"{doing} of {owner}", "impersonate", WORKSPACES, "provisioner-admin")


async def workspace_rights(caller: Caller, namespaces: frozenset[str]) -> WorkspaceRights:
    """Ask what the user may change in some namespaces, beside the user's own. Raises KubeError."""
    changeable = await caller.allowed_in("patch", WORKSPACES, namespaces)
    deletable = await caller.allowed_in("delete", WORKSPACES, namespaces)
    foreign = await caller.allowed_in("impersonate", WORKSPACES, changeable | deletable)
    return WorkspaceRights("", changeable, deletable, foreign)

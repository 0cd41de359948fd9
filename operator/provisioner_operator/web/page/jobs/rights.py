"""Rights to change a job: which are asked for, and the reasons for which its buttons do nothing. The API server decides.

The rules are those of the policies `job-ownership`, `identity` and `workspace-owner` (`manifests/policies`). Used by the
page of a job, its live stream, and its forms; lists ask only about cancels.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from provisioner_operator.api.v1alpha1.names import JOBS, TEMPLATES, WORKSPACES
from provisioner_operator.core.workspaces.retry_by_owner import owner_of
from provisioner_operator.web.access.caller import Caller
from provisioner_operator.web.page.jobs.table import CancelRights
from provisioner_operator.web.page.live import Rights
from provisioner_operator.web.page.words import missing_right

Right = tuple[str, str]
"""A verb and the plural of a kind."""

_QUESTIONS: tuple[tuple[Right, ...], ...] = (
    (("patch", JOBS), ("cancel", JOBS), ("delete", JOBS)),
    (("create", JOBS), ("impersonate", JOBS)),
    (("patch", WORKSPACES), ("impersonate", WORKSPACES)),
    (("patch", TEMPLATES),),
)
"""Without the first right of a group the others are of no use, and are not asked for."""


@dataclass(frozen=True, slots=True)
class JobRights:
    """Rights of a user to change the jobs of one organization, as far as the server knows."""

    user: str
    org: str
    held: frozenset[Right]

    def has(self, verb: str, resource: str = JOBS) -> bool:
        """Return whether the user has a right."""
        return (verb, resource) in self.held

    @property
    def cancel(self) -> CancelRights:
        """Those to cancel."""
        return CancelRights(self.user, self._where("cancel"), self._where("patch"))

    @property
    def lasting(self) -> Rights:
        """Those whose withdrawal ends a live stream."""
        return tuple(self._where(*right) for group in _QUESTIONS for right in group)

    def _where(self, verb: str, resource: str = JOBS) -> frozenset[str]:
        return frozenset({self.org} if self.has(verb, resource) else ())


async def job_rights(caller: Caller, org: str) -> JobRights:
    """Ask what the user may change in an organization. Raises KubeError."""

    async def held_of(first: Right, *others: Right) -> list[Right]:
        if not await caller.may(*first, org):
            return []
        answers = await asyncio.gather(*(caller.may(*each, org) for each in others))
        return [first, *(each for each, allowed in zip(others, answers, strict=True) if allowed)]

    found = await asyncio.gather(*(held_of(*group) for group in _QUESTIONS))
    return JobRights(caller.user.name, org, frozenset(right for group in found for right in group))


def suspend_denial(spec: Mapping[str, Any], rights: JobRights, action: str = "suspend") -> str:
    """Return the reason for which the user may not suspend or resume the job; empty if there is none."""
    is_own = rights.user in (spec.get("initiator"), _workspace_owner(spec))
    if not rights.has("patch"):
        return missing_right(
            "change this job", "patch", JOBS, "provisioner-submitter" if is_own else "provisioner-admin"
        )
    if is_own or rights.has("cancel") or rights.has("delete"):
        return ""
    return missing_right(f"{action} this job, which is not yours", "cancel", JOBS, "provisioner-admin")


def retry_denial(name: str, spec: Mapping[str, Any], rights: JobRights) -> str:
    """Return the reason for which the user may not repeat the job of this name; empty if there is none."""
    owner = owner_of(name, spec)
    if owner is None:
        return _submit_denial(spec, rights)
    if owner.kind == "workspace":
        return _rebuild_denial(spec, rights)
    if rights.has("patch", TEMPLATES):
        return ""
    return missing_right("retry this job", "patch", TEMPLATES, "provisioner-admin")


def _submit_denial(spec: Mapping[str, Any], rights: JobRights) -> str:
    if not rights.has("create"):
        return missing_right("retry this job", "create", JOBS, "provisioner-submitter")
    others = {_workspace_owner(spec), (spec.get("tags") or {}).get("owner")} - {None, "", rights.user}
    if rights.has("impersonate") or not (others or spec.get("ownerMayCancel")):
        return ""
    return missing_right("retry this job, which names another user", "impersonate", JOBS, "provisioner-admin")


def _rebuild_denial(spec: Mapping[str, Any], rights: JobRights) -> str:
    is_own = _workspace_owner(spec) in (None, "", rights.user)
    if not rights.has("patch", WORKSPACES):
        role = "provisioner-submitter" if is_own else "provisioner-admin"
        return missing_right("retry this job", "patch", WORKSPACES, role)
    if is_own or rights.has("impersonate", WORKSPACES):
        return ""
    return missing_right("retry this job of another user's workspace", "impersonate", WORKSPACES, "provisioner-admin")


def _workspace_owner(spec: Mapping[str, Any]) -> str | None:
    found: str | None = (spec.get("workspaceRef") or {}).get("owner")
    return found

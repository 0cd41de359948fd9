"""Parts of a request that several pages read: the organization, forms, the index's state. Failures become pages."""

import re
from collections.abc import Collection, Mapping
from http import HTTPStatus
from urllib.parse import parse_qsl

from starlette.requests import Request

from provisioner_operator.api.v1alpha1.names import GROUP
from provisioner_operator.web.access.caller import Caller
from provisioner_operator.web.context import WebContext
from provisioner_operator.web.page import paths
from provisioner_operator.web.problems import Problem

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?", re.ASCII)
"""Name of an object or namespace of Kubernetes."""
_MOST_FIELDS = 300
RELOAD_SECONDS = 3
"""Time after which a browser asks again for a page that is not ready."""


class LoadingProblem(Problem):
    """The index is being filled, so that no list would be true."""

    def __init__(self) -> None:
        super().__init__(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "The server has just started, and is reading the cluster.",
            headers={"Retry-After": str(RELOAD_SECONDS), "Refresh": str(RELOAD_SECONDS)},
        )


class MissingRightProblem(Problem):
    """The user may not list a kind in an organization, or there is no such organization: both look alike."""

    def __init__(self, user: str, resource: str, org: str) -> None:
        """Name the user, and the kind and organization that are closed."""
        super().__init__(
            HTTPStatus.FORBIDDEN,
            f"You lack the verb list on {resource} in organization {org}, or there is no such organization. "
            "The ClusterRole provisioner-viewer grants it; an administrator of the organization can bind it to you.",
        )
        self.user = user
        self.command = f"kubectl auth can-i list {resource}.{GROUP} -n {org}"
        """Command that checks the right."""


def require_name(name: str) -> str:
    """Return the name if an object may have it. Raises Problem (404)."""
    if not _NAME.fullmatch(name):
        raise Problem(HTTPStatus.NOT_FOUND, "There is no such page.")
    return name


def no_such_job(org: str, name: str) -> Problem:
    """Return the answer for a job that does not exist, or no more."""
    return Problem(HTTPStatus.NOT_FOUND, f"There is no job {name} in organization {org}.")


def require_ready(context: WebContext) -> None:
    """Raise LoadingProblem until every kind was listed once."""
    if not context.index.is_ready:
        raise LoadingProblem


async def require_visible(caller: Caller, resource: str, org: str) -> frozenset[str]:
    """Return the namespaces of an organization in an address whose objects the user may list. Raises MissingRightProblem."""
    if org == paths.ALL:
        return await caller.visible(resource)
    if visible := await caller.visible(resource, {require_name(org)}):
        return visible
    raise MissingRightProblem(caller.user.name, resource, org)


def foresee(caller: Caller, org: str, *, lists: Collection[str], changes: Mapping[str, str]) -> None:
    """Begin to ask for the rights that a page of an organization needs: kinds to list, and verbs with the kinds that they change."""
    if org != paths.ALL:
        caller.foresee("list", lists, require_name(org))
        for verb, resource in changes.items():
            caller.foresee(verb, (resource,), org)


async def form_of(request: Request) -> list[tuple[str, str]]:
    """Return the fields of a form that was sent."""
    body = (await request.body()).decode("utf-8", "replace")
    try:
        return parse_qsl(body, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise Problem(HTTPStatus.BAD_REQUEST, "The form has too many fields.") from None

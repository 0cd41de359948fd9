"""Routes of organizations: the namespaces whose jobs the user may list."""

from fastapi import APIRouter
from starlette.responses import Response

from provisioner_operator.api.v1alpha1.names import JOBS
from provisioner_operator.web.access.caller import Caller
from provisioner_operator.web.coder.answers import json_of
from provisioner_operator.web.coder.convert.users import organization as converted
from provisioner_operator.web.coder.locate import organization_of
from provisioner_operator.web.coder.models.users import Organization
from provisioner_operator.web.coder.routes.people import name_of
from provisioner_operator.web.dependencies import CallerOf, Context
from provisioner_operator.web.index.cluster_index import ClusterIndex

router = APIRouter(tags=["Organizations"])


@router.get("/organizations", response_model=list[Organization])
async def list_organizations(context: Context, caller: CallerOf) -> Response:
    """List the organizations whose jobs the user may list."""
    return await _organizations(context.index, caller)


@router.get("/organizations/{organization}", response_model=Organization)
async def get_organization(organization: str, context: Context, caller: CallerOf) -> Response:
    """Return an organization, by name or id."""
    namespace = await organization_of(organization, context.index, caller)
    return json_of(Organization, converted(context.index, namespace))


@router.get("/users/{user}/organizations", response_model=list[Organization])
async def list_organizations_of_user(user: str, context: Context, caller: CallerOf) -> Response:
    """List the organizations of the user who asks; of others, none is known."""
    if await name_of(user, context.index, caller) == caller.user.name:
        return await _organizations(context.index, caller)
    return json_of(list[Organization], [])


@router.get("/users/{user}/organizations/{organization}", response_model=Organization)
async def get_organization_of_user(user: str, organization: str, context: Context, caller: CallerOf) -> Response:
    """Return an organization of the user who asks."""
    await name_of(user, context.index, caller)
    return await get_organization(organization, context, caller)


async def _organizations(index: ClusterIndex, caller: Caller) -> Response:
    return json_of(list[Organization], [converted(index, each) for each in sorted(await caller.visible(JOBS))])

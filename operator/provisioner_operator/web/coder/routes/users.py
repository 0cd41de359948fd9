"""Routes of the deployment and of users: what `coder login`, `logout` and `whoami` ask for."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

import provisioner_operator
from provisioner_operator.api.v1alpha1.names import GROUP, JOBS
from provisioner_operator.web.access.authentication import header_token
from provisioner_operator.web.access.caller import User as KubernetesUser
from provisioner_operator.web.access.hosts import root_address
from provisioner_operator.web.coder.answers import json_of
from provisioner_operator.web.coder.convert.ids import key_id, uuid_of
from provisioner_operator.web.coder.convert.users import user as converted
from provisioner_operator.web.coder.models.answers import Answer
from provisioner_operator.web.coder.models.users import BuildInfo, GenerateAPIKeyResponse, User
from provisioner_operator.web.coder.routes.people import name_of
from provisioner_operator.web.dependencies import CallerOf, Context
from provisioner_operator.web.problems import Problem

router = APIRouter(tags=["Users"])
open_router = APIRouter(tags=["Deployment"])
"""Routes that need no credential."""

_FIRST_USER = "The initial user has already been created!"


@open_router.get("/buildinfo", response_model=BuildInfo)
async def get_build_info(request: Request) -> Response:
    """Return the version of this server."""
    info = BuildInfo(
        external_url=f"https://{GROUP}",
        version=f"v{provisioner_operator.__version__}",
        dashboard_url=root_address(request.headers.get("host", "")),
        telemetry=False,
        workspace_proxy=False,
        agent_api_version="",
        provisioner_api_version="",
        upgrade_message="",
        deployment_id=str(key_id(GROUP)),
    )
    return json_of(BuildInfo, info)


@open_router.get("/users/first", response_model=Answer)
async def get_first_user() -> Response:
    """Say that there are users: Coder's client asks before it logs in."""
    return json_of(Answer, Answer(message=_FIRST_USER))


@router.post("/users/{user}/keys", status_code=201, response_model=GenerateAPIKeyResponse)
async def create_key(user: str, request: Request, context: Context, caller: CallerOf) -> Response:
    """Return the token that was sent in a header: `coder login --token` stores it for its further requests.

    403 to whoever sends it as a cookie, which no script may read.
    """
    await name_of(user, context.index, caller)
    token = header_token(request.headers)
    if token is None:
        raise Problem(403, "The token of a browser stays in its cookie: send a token in a header.")
    return json_of(GenerateAPIKeyResponse, GenerateAPIKeyResponse(key=token.value), 201)


@router.post("/users/logout", response_model=Answer)
async def log_out(caller: CallerOf) -> Response:
    """Let the client forget its token; the token itself stays valid until it expires."""
    return json_of(Answer, Answer(message="Logged out!", detail=f"The token of {caller.user.name} is still valid."))


@router.get("/users/{user}", response_model=User)
async def get_user(user: str, context: Context, caller: CallerOf) -> Response:
    """Return the user who asks (`me`), or one who submitted a job or owns a workspace, by name or id."""
    index = context.index
    name = await name_of(user, index, caller)
    if name != caller.user.name:
        return json_of(User, converted(KubernetesUser(name), ()))
    organizations = [uuid_of(index.namespace_uid(each)) for each in sorted(await caller.visible(JOBS))]
    return json_of(User, converted(caller.user, organizations))

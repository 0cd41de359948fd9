"""Forms that start, stop, rebuild, update and delete a workspace; starting one offers its template's parameters."""

from collections.abc import Awaitable, Mapping

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from provisioner_operator.api.v1alpha1.names import TEMPLATES, WORKSPACES
from provisioner_operator.api.v1alpha1.parameters import Parameter
from provisioner_operator.web.access.caller import Caller
from provisioner_operator.web.actions import workspaces as actions
from provisioner_operator.web.actions.outcome import Outcome
from provisioner_operator.web.actions.target import ObjectRef
from provisioner_operator.web.context import WebContext
from provisioner_operator.web.dependencies import CallerOf, Context
from provisioner_operator.web.index.rows import Body
from provisioner_operator.web.page import paths
from provisioner_operator.web.page.forms import Action, Form, action_of, form_page, redirect, refusal_of, refused
from provisioner_operator.web.page.requests import form_of, require_name
from provisioner_operator.web.page.workspaces.find import find_workspace
from provisioner_operator.web.page.workspaces.parameters import fields_of, values_of

router = APIRouter()


ACTIONS = {
    "start": Action("Start workspace", "A job starts it with these values.", "Start requested", "started"),
    "stop": Action("Stop workspace", "A job stops it. What its template keeps stays.", "Stop requested", "stopped"),
    "rebuild": Action(
        "Rebuild workspace",
        "A job builds it again. Values that you change here apply at once if it runs, else at its next start.",
        "Rebuild requested",
        "rebuilt",
    ),
    "update": Action(
        "Update workspace",
        "It moves to the active version of its template. If it runs, a job builds it at once.",
        "Update requested",
        "updated",
    ),
    "delete": Action(
        "Delete workspace",
        "A job destroys its resources; then the workspace is gone. This cannot be undone.",
        "Deletion requested",
        "deleted",
        "danger",
    ),
}
_WITH_PARAMETERS = frozenset({"start", "rebuild"})


@router.get("/organizations/{org}/workspaces/{name}/{action}")
async def action_form(org: str, name: str, action: str, context: Context, caller: CallerOf) -> Response:
    """Ask for the confirmation of a change."""
    found = action_of(ACTIONS, action)
    row = await find_workspace(context, caller, org, name)
    body = row.body
    parameters = await _parameters(context, caller, body) if action in _WITH_PARAMETERS else []
    form = _form(found, org, name, action)
    return await form_page(
        context,
        caller,
        org,
        form,
        "workspaces/action.html",
        text=found.text,
        uid=row.uid,
        fields=fields_of(parameters, _chosen(body), _built(body)),
        can_orphan=action == "delete" and await caller.may("patch", WORKSPACES, org),
    )


@router.post("/organizations/{org}/workspaces/{name}/{action}")
async def act(org: str, name: str, action: str, request: Request, context: Context, caller: CallerOf) -> Response:
    """Change the workspace that the form showed."""
    found = action_of(ACTIONS, action)
    sent = dict(await form_of(request))
    target = ObjectRef(require_name(org), require_name(name), sent.get("uid", ""))
    body = (await find_workspace(context, caller, org, name)).body
    parameters = await _parameters(context, caller, body) if action in _WITH_PARAMETERS else []
    values = values_of(parameters, sent, _chosen(body), _built(body))
    form = _form(found, org, name, action)
    refusal = await refusal_of(_carry_out(action, caller, target, values, orphan=sent.get("orphan") == "yes"))
    if refusal is None:
        return redirect(form)
    return await form_page(
        context,
        caller,
        org,
        refused(form, refusal),
        "workspaces/action.html",
        status=refusal[0],
        text=found.text,
        uid=target.uid,
        fields=fields_of(parameters, _chosen(body) | values, _built(body)),
        can_orphan=action == "delete" and await caller.may("patch", WORKSPACES, org),
    )


def _carry_out(
    action: str, caller: Caller, target: ObjectRef, values: Mapping[str, str], *, orphan: bool
) -> Awaitable[Outcome]:
    client = caller.client
    match action:
        case "start":
            return actions.start(client, target, parameters=values)
        case "stop":
            return actions.stop(client, target)
        case "rebuild":
            return actions.rebuild(client, target, values)
        case "update":
            return actions.update(client, target)
        case _:
            return actions.delete(client, target, orphan=orphan)


async def _parameters(context: WebContext, caller: Caller, body: Body) -> list[Parameter]:
    """Return the parameters of the workspace's template, if the user may see it."""
    org = body["metadata"]["namespace"]
    if not await caller.visible(TEMPLATES, {org}):
        return []
    template = context.index.templates.named(org, body["spec"]["templateRef"]["name"])
    given = template.body["spec"].get("parameters") or [] if template else []
    try:
        return [Parameter.model_validate(each) for each in given]
    except ValidationError:
        return []  # of a later version: the values stay as they are


def _chosen(body: Body) -> dict[str, str]:
    return {str(each["name"]): str(each["value"]) for each in body["spec"].get("parameters") or ()}


def _built(body: Body) -> dict[str, str] | None:
    built = (body.get("status") or {}).get("parameters")
    return None if built is None else {str(each["name"]): str(each["value"]) for each in built}


def _form(action: Action, org: str, name: str, key: str) -> Form:
    # A deleted workspace has no page any more.
    back, label = (paths.workspaces(org), "Workspaces") if key == "delete" else (paths.workspace(org, name), name)
    return action.form(name, paths.workspace_action(org, name, key), back, label)

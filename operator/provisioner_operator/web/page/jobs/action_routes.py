"""Forms that retry, suspend and resume a job."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from provisioner_operator.api.v1alpha1.names import JOBS
from provisioner_operator.kube import paths as kube_paths
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.web.actions import jobs as actions
from provisioner_operator.web.actions.outcome import Outcome
from provisioner_operator.web.actions.retry import retry
from provisioner_operator.web.actions.target import ObjectRef, read_target
from provisioner_operator.web.dependencies import CallerOf, Context
from provisioner_operator.web.page import paths
from provisioner_operator.web.page.forms import (
    Action,
    Form,
    action_of,
    closed,
    form_page,
    redirect,
    refusal_of,
    refused,
)
from provisioner_operator.web.page.jobs.rights import JobRights, job_rights, retry_denial, suspend_denial
from provisioner_operator.web.page.requests import form_of, no_such_job, require_name, require_ready, require_visible

router = APIRouter()


ACTIONS = {
    "retry": Action(
        "Retry job",
        "Runs the same job again: a job that was submitted by hand is submitted as a new job; a build of a workspace or "
        "the import of a template is repeated by its owner.",
        "Retry requested",
        "retried",
    ),
    "suspend": Action(
        "Suspend job",
        "It stays pending and out of the queue until somebody resumes it. Its pending timeout stands still meanwhile.",
        "Suspended",
        "suspended",
    ),
    "resume": Action("Resume job", "It returns to the queue.", "Resumed", "resumed"),
}
_CHANGES: Mapping[str, Callable[[KubeClient, ObjectRef], Awaitable[Outcome]]] = {
    "retry": retry,
    "suspend": actions.suspend,
    "resume": actions.resume,
}


@router.get("/organizations/{org}/provisioner-jobs/{name}/{action}")
async def action_form(org: str, name: str, action: str, context: Context, caller: CallerOf) -> Response:
    """Ask for the confirmation of a change."""
    found = action_of(ACTIONS, action)
    require_ready(context)
    await require_visible(caller, JOBS, require_name(org))
    row = context.index.jobs.named(org, require_name(name))
    if row is None:
        raise no_such_job(org, name)
    body = await read_target(caller.client, kube_paths.job(org, name), row.job)
    form = closed(_form(found, org, name, action), _denial(body["spec"], name, action, await job_rights(caller, org)))
    return await form_page(context, caller, org, form, "jobs/action.html", text=found.text, uid=row.job.uid)


@router.post("/organizations/{org}/provisioner-jobs/{name}/{action}")
async def act(org: str, name: str, action: str, request: Request, context: Context, caller: CallerOf) -> Response:
    """Change the job that the form showed."""
    found = action_of(ACTIONS, action)
    uid = dict(await form_of(request)).get("uid", "")
    job = ObjectRef(require_name(org), require_name(name), uid)
    form = _form(found, org, name, action)
    refusal = await refusal_of(_CHANGES[action](caller.client, job))
    if refusal is None:
        return redirect(form)
    return await form_page(
        context, caller, org, refused(form, refusal), "jobs/action.html", status=refusal[0], text=found.text, uid=uid
    )


def _denial(spec: Mapping[str, Any], name: str, action: str, rights: JobRights) -> str:
    return retry_denial(name, spec, rights) if action == "retry" else suspend_denial(spec, rights, action)


def _form(action: Action, org: str, name: str, key: str) -> Form:
    return action.form(name, paths.job_action(org, name, key), paths.job(org, name), name)

"""Forms that retry, suspend and resume a job."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from provisioner_operator.api.v1alpha1.names import JOBS
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.web.actions import jobs as actions
from provisioner_operator.web.actions.outcome import Outcome
from provisioner_operator.web.actions.retry import retry
from provisioner_operator.web.actions.target import ObjectRef
from provisioner_operator.web.dependencies import CallerOf, Context
from provisioner_operator.web.page import paths
from provisioner_operator.web.page.forms import Form, action_of, form_page, redirect, refusal_of, refused
from provisioner_operator.web.page.requests import form_of, require_name, require_ready, require_visible
from provisioner_operator.web.problems import Problem

router = APIRouter()


@dataclass(frozen=True, slots=True)
class JobAction:
    """A change of a job, with its words."""

    title: str
    text: str
    submit: str
    done: str
    notice: str
    carry_out: Callable[[KubeClient, ObjectRef], Awaitable[Outcome]]


ACTIONS = {
    "retry": JobAction(
        "Retry job",
        "Runs the same job again: a job that was submitted by hand is submitted as a new job; a build of a workspace or "
        "the import of a template is repeated by its owner.",
        "Retry job",
        "Submitted again",
        "retried",
        retry,
    ),
    "suspend": JobAction(
        "Suspend job",
        "It stays pending and out of the queue until somebody resumes it. Its pending timeout stands still meanwhile.",
        "Suspend job",
        "Suspended",
        "suspended",
        actions.suspend,
    ),
    "resume": JobAction("Resume job", "It returns to the queue.", "Resume job", "Resumed", "resumed", actions.resume),
}


@router.get("/organizations/{org}/provisioner-jobs/{name}/{action}")
async def action_form(org: str, name: str, action: str, context: Context, caller: CallerOf) -> Response:
    """Ask for the confirmation of a change."""
    found = action_of(ACTIONS, action)
    require_ready(context)
    await require_visible(caller, JOBS, require_name(org))
    row = context.index.jobs.named(org, require_name(name))
    if row is None:
        raise Problem(HTTPStatus.NOT_FOUND, f"There is no job {name} in organization {org}.")
    form = _form(found, org, name, action)
    return await form_page(context, caller, org, form, "jobs/action.html", text=found.text, uid=row.job.uid)


@router.post("/organizations/{org}/provisioner-jobs/{name}/{action}")
async def act(org: str, name: str, action: str, request: Request, context: Context, caller: CallerOf) -> Response:
    """Change the job that the form showed."""
    found = action_of(ACTIONS, action)
    uid = dict(await form_of(request)).get("uid", "")
    job = ObjectRef(require_name(org), require_name(name), uid)
    form = _form(found, org, name, action)
    refusal = await refusal_of(found.carry_out(caller.client, job))
    if refusal is None:
        return redirect(form)
    return await form_page(
        context, caller, org, refused(form, refusal), "jobs/action.html", status=refusal[0], text=found.text, uid=uid
    )


def _form(action: JobAction, org: str, name: str, key: str) -> Form:
    return Form(
        title=f"{action.title} {name}",
        action=paths.job_action(org, name, key),
        back=paths.job(org, name),
        back_label=name,
        submit=action.submit,
        done=action.done,
        notice=action.notice,
    )

"""The form that cancels a job, and the one that cancels several, each with its result."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.api.v1alpha1.names import JOBS
from provisioner_operator.core.jobs.lifecycle import STARTED
from provisioner_operator.core.jobs.requests import CancelRequest
from provisioner_operator.core.model.records import Job
from provisioner_operator.kube.errors import KubeError
from provisioner_operator.web.access.caller import Caller
from provisioner_operator.web.actions import jobs as actions
from provisioner_operator.web.actions.outcome import Outcome
from provisioner_operator.web.actions.target import ObjectRef
from provisioner_operator.web.context import WebContext
from provisioner_operator.web.dependencies import CallerOf, Context
from provisioner_operator.web.index.cluster_index import ClusterIndex
from provisioner_operator.web.page import paths
from provisioner_operator.web.page.forms import Form, form_page, redirect, refusal_of, refused, result_of
from provisioner_operator.web.page.requests import form_of, no_such_job, require_name, require_ready, require_visible
from provisioner_operator.web.page.words import PHASES, Mark, counted

router = APIRouter()

_LONGEST_REASON = 512
_MOST_SELECTED = 100
"""The jobs of one page."""


@dataclass(frozen=True, slots=True)
class CancelView:
    """The job that the form is about, in the phase in which its reader sees it, and what a cancel does to it."""

    name: str
    uid: str
    workspace: str
    phase: str
    consequence: str
    force: bool
    reason: str = ""
    if_pending: bool = True


@dataclass(frozen=True, slots=True)
class Selected:
    """One of several jobs, and the result of its cancel."""

    name: str
    uid: str
    workspace: str
    status: Mark
    selection: str
    result: str = ""
    succeeded: bool = False


@router.get("/organizations/{org}/provisioner-jobs/{name}/cancel")
async def cancel_form(org: str, name: str, context: Context, caller: CallerOf) -> Response:
    """Ask for the confirmation of a cancel."""
    job = await _job(context, caller, org, name)
    view = cancel_view(job, _grace(context.index, job))
    return await form_page(context, caller, org, _form(job, force=view.force), "jobs/cancel.html", cancel=view)


@router.post("/organizations/{org}/provisioner-jobs/{name}/cancel")
async def cancel(org: str, name: str, request: Request, context: Context, caller: CallerOf) -> Response:
    """Cancel the job that the form showed, if it is still in the phase for which the form said what happens."""
    fields = dict(await form_of(request))
    job = ObjectRef(require_name(org), require_name(name), fields.get("uid", ""))
    wanted = CancelRequest(
        reason=fields.get("reason", "").strip()[:_LONGEST_REASON] or None,
        force=fields.get("force") == "yes",
        expected=_expected(fields),
    )
    refusal = await refusal_of(actions.cancel(caller.client, job, wanted))
    if refusal is None:
        return redirect(_form(job, force=wanted.force))
    present = await _job(context, caller, org, name)
    view = cancel_view(present, _grace(context.index, present), wanted)
    form = refused(_form(present, force=view.force), refusal)
    return await form_page(context, caller, org, form, "jobs/cancel.html", status=refusal[0], cancel=view)


@router.get("/organizations/{org}/cancel-jobs")
async def cancel_many_form(org: str, request: Request, context: Context, caller: CallerOf) -> Response:
    """Ask for the confirmation of the cancel of the selected jobs."""
    namespaces = await _namespaces(context, caller, org)
    chosen = [each.partition("/")[::2] for each in request.query_params.getlist("job")[:_MOST_SELECTED]]
    rows = [context.index.jobs.named(namespace, name) for namespace, name in chosen if namespace in namespaces]
    many = [_selected(row.job) for row in rows if row is not None]
    return await form_page(context, caller, org, _form_of_many(org, len(many)), "jobs/cancel_many.html", many=many)


@router.post("/organizations/{org}/cancel-jobs")
async def cancel_many(org: str, request: Request, context: Context, caller: CallerOf) -> Response:
    """Cancel the jobs of the form, and show the result of each."""
    fields = await form_of(request)
    given = dict(fields)
    wanted = CancelRequest(
        reason=given.get("reason", "").strip()[:_LONGEST_REASON] or None,
        expected=Phase.PENDING if given.get("if_pending") == "yes" else None,
    )
    targets = [_target(value) for key, value in fields if key == "job"][:_MOST_SELECTED]
    namespaces = await _namespaces(context, caller, org)
    outcomes = await actions.cancel_all(caller.client, targets, wanted)
    many = [
        _with_result(context.index, target, outcome, namespaces)
        for target, outcome in zip(targets, outcomes, strict=True)
    ]
    form = _results_form(org, many)
    return await form_page(context, caller, org, form, "jobs/cancel_many.html", many=many)


def cancel_view(job: Job, grace: float | None, wanted: CancelRequest | None = None) -> CancelView:
    """Return the form's content; after a refusal, with what was filled in."""
    force = job.cancel and job.phase in STARTED
    return CancelView(
        name=job.name,
        uid=job.uid,
        workspace=job.workspace or "",
        phase=job.phase,
        consequence=describe_consequence(job, grace),
        force=force,
        reason=(wanted.reason or "") if wanted else "",
        if_pending=wanted.expected is not None if wanted else True,
    )


def describe_consequence(job: Job, grace: float | None) -> str:
    """Return what a cancel does to the job now."""
    if job.cancel and job.phase in STARTED:
        return (
            "Its run is being interrupted already. Forcing kills it at once, which may lose track of resources that it made: "
            "they would remain, and nobody would delete them."
        )
    workspace = f" Workspace {job.workspace} stays as it is." if job.workspace else ""
    if job.phase is Phase.PENDING:
        return f"It leaves the queue and becomes Canceled at once.{workspace} A cancel cannot be withdrawn."
    if job.phase in STARTED:
        patience = f" after {grace:.0f} s" if grace is not None else " after its provisioner's grace period"
        return f"Its run is interrupted, and killed if it has not ended{patience}. A cancel cannot be withdrawn."
    return f"The job has ended: it is {job.phase}. There is nothing to cancel."


def _form(job: Job | ObjectRef, *, force: bool) -> Form:
    return Form(
        title=f"Force job {job.name} to stop" if force else "Cancel provisioner job",
        action=paths.job_action(job.namespace, job.name, "cancel"),
        back=paths.job(job.namespace, job.name),
        back_label=job.name,
        submit="Kill the run" if force else "Cancel job",
        done="Cancel requested",
        notice="forced" if force else "canceled",
        tone="danger",
        dismiss="Keep the job",
        about=job.name,
    )


def _form_of_many(org: str, number: int) -> Form:
    return Form(
        title=f"Cancel {counted(number, 'job')}",
        action=paths.cancel_jobs(org),
        back=paths.jobs(org),
        back_label="Provisioner jobs",
        submit=f"Cancel {counted(number, 'job')}" if number else "",
        done="Cancel requested",
        notice="canceled",
        tone="danger",
        dismiss="Keep the jobs" if number else "Back",
    )


def _results_form(org: str, many: Sequence[Selected]) -> Form:
    succeeded = sum(each.succeeded for each in many)
    return Form(
        title=f"Cancel requested for {succeeded} of {counted(len(many), 'job')}",
        action=paths.cancel_jobs(org),
        back=paths.jobs(org),
        back_label="Provisioner jobs",
        submit="",
        done="",
        notice="canceled",
        dismiss="Back to the jobs",
    )


def _expected(fields: Mapping[str, str]) -> Phase | None:
    """Return the phase that the user saw. A pending job may start meanwhile, unless the user wants only the pending one."""
    if fields.get("phase") == Phase.RUNNING:
        return Phase.RUNNING
    return Phase.PENDING if fields.get("if_pending") == "yes" else None


async def _job(context: WebContext, caller: Caller, org: str, name: str) -> Job:
    """Return the job as the index has it. Raises Problem (404)."""
    await _namespaces(context, caller, require_name(org))
    row = context.index.jobs.named(org, require_name(name))
    if row is None:
        raise no_such_job(org, name)
    return row.job


async def _namespaces(context: WebContext, caller: Caller, org: str) -> frozenset[str]:
    require_ready(context)
    return await require_visible(caller, JOBS, org)


def _grace(index: ClusterIndex, job: Job) -> float | None:
    daemon = index.queue.daemon(job.assignment.daemon_uid) if job.assignment else None
    return None if daemon is None else daemon.cancel_grace


def _selected(job: Job) -> Selected:
    return Selected(job.name, job.uid, job.workspace or "", PHASES[job.phase], f"{job.namespace}/{job.name}")


def _target(value: str) -> ObjectRef:
    place, _, uid = value.partition(":")
    namespace, _, name = place.partition("/")
    return ObjectRef(require_name(namespace), require_name(name), uid)


def _with_result(
    index: ClusterIndex, target: ObjectRef, outcome: Outcome | KubeError, namespaces: frozenset[str]
) -> Selected:
    row = index.jobs.named(target.namespace, target.name) if target.namespace in namespaces else None
    workspace, status = (
        ((row.job.workspace or ""), PHASES[row.job.phase]) if row else ("", Mark("Unknown", "clock", "idle"))
    )
    text, succeeded = result_of(outcome)
    return Selected(target.name, target.uid, workspace, status, f"{target.namespace}/{target.name}", text, succeeded)

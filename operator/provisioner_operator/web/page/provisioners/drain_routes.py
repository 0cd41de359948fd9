"""The form that drains a provisioner; by force, with the result for each of its runs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from provisioner_operator.api.v1alpha1.names import JOBS
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.errors import KubeError
from provisioner_operator.web.access.caller import Caller
from provisioner_operator.web.actions import daemons as actions
from provisioner_operator.web.actions.daemons import Drain
from provisioner_operator.web.actions.target import ObjectRef
from provisioner_operator.web.context import WebContext
from provisioner_operator.web.dependencies import CallerOf, Context
from provisioner_operator.web.page import paths
from provisioner_operator.web.page.forms import Form, form_page, redirect, refusal_in, refused, result_of
from provisioner_operator.web.page.jobs.table import CancelRights
from provisioner_operator.web.page.provisioners.find import find_daemon
from provisioner_operator.web.page.requests import form_of, require_name
from provisioner_operator.web.page.words import counted, missing_right

router = APIRouter()

_PATH = "/organizations/{org}/provisioners/{name}/drain"


@dataclass(frozen=True, slots=True)
class Kill:
    """One run of a provisioner that was drained by force, and the result of its kill."""

    job: str
    href: str
    result: str
    succeeded: bool


@router.get(_PATH)
async def drain_form(org: str, name: str, context: Context, caller: CallerOf) -> Response:
    """Ask for the confirmation of a drain."""
    row = await find_daemon(context, caller, org, name)
    closed = await _force_denial(context, caller, org, row.uid)
    return await form_page(
        context, caller, org, _form(org, name), "provisioners/drain.html", uid=row.uid, closed=closed
    )


@router.post(_PATH)
async def drain(org: str, name: str, request: Request, context: Context, caller: CallerOf) -> Response:
    """Drain the provisioner that the form showed; with `force`, show what became of each run."""
    fields = dict(await form_of(request))
    daemon = ObjectRef(require_name(org), require_name(name), fields.get("uid", ""))
    drained = await _drained(caller.client, daemon, force=fields.get("force") == "yes")
    refusal = refusal_in(drained.cordon if isinstance(drained, Drain) else drained)
    form = _form(org, name)
    if refusal is not None:
        return await form_page(
            context,
            caller,
            org,
            refused(form, refusal),
            "provisioners/drain.html",
            status=refusal[0],
            uid=daemon.uid,
            closed=await _force_denial(context, caller, org, daemon.uid),
        )
    kills = _kills(org, drained) if isinstance(drained, Drain) else []
    if not kills:
        return redirect(form)
    form = _results_form(form, kills)
    return await form_page(context, caller, org, form, "provisioners/drained.html", kills=kills)


async def _force_denial(context: WebContext, caller: Caller, org: str, uid: str) -> str:
    """Return the reason for which the user may kill none of the provisioner's runs; empty if there is none."""
    for verb in ("list", "patch"):
        if not await caller.may(verb, JOBS, org):
            return missing_right("kill its runs", verb, JOBS, "provisioner-admin")
    if await caller.may("cancel", JOBS, org):
        return ""
    daemon, here = context.index.queue.daemon(uid), frozenset({org})
    rights = CancelRights(caller.user.name, (), here)
    rows = [context.index.jobs.get(run.job_uid) for run in (daemon.runs if daemon else ())]
    if any(row is not None and not rights.denial(row) for row in rows):
        return ""
    return missing_right("kill its runs", "cancel", JOBS, "provisioner-admin")


async def _drained(client: KubeClient, daemon: ObjectRef, *, force: bool) -> Drain | KubeError:
    try:
        return await actions.drain(client, daemon, force=force)
    except KubeError as error:
        return error


def _kills(org: str, drained: Drain) -> list[Kill]:
    return [Kill(job, paths.job(org, job), *result_of(outcome)) for job, outcome in drained.kills]


def _form(org: str, name: str) -> Form:
    return Form(
        title=f"Drain provisioner {name}",
        action=paths.provisioner_action(org, name, "drain"),
        back=paths.provisioners(org),
        back_label="Provisioners",
        submit="Drain",
        done="Draining",
        notice="draining",
    )


def _results_form(form: Form, kills: Sequence[Kill]) -> Form:
    succeeded = sum(each.succeeded for each in kills)
    return replace(
        form,
        title=f"Draining; {succeeded} of {counted(len(kills), 'run')} are being killed",
        submit="",
        dismiss="Back to the provisioners",
    )

"""Routes that explain a job and change it: cancel, retry, suspend, resume, priority."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body
from starlette.responses import Response

from provisioner_operator.api.v1alpha1.names import DAEMONS
from provisioner_operator.core.jobs.requests import CancelRequest
from provisioner_operator.web.actions import jobs as actions
from provisioner_operator.web.actions.outcome import Outcome, Result
from provisioner_operator.web.actions.retry import retry
from provisioner_operator.web.api.explain import why
from provisioner_operator.web.api.models import ActionResult, CancelJob, SetPriority, Why
from provisioner_operator.web.coder.answers import json_of
from provisioner_operator.web.coder.convert.words import PHASE_OF
from provisioner_operator.web.coder.idempotency_key import IdempotencyKey
from provisioner_operator.web.coder.locate import job_of
from provisioner_operator.web.dependencies import CallerOf, Context
from provisioner_operator.web.problems import Problem

router = APIRouter(tags=["Jobs"])


@router.get("/jobs/{job}/why", response_model=Why)
async def explain_job(job: UUID, context: Context, caller: CallerOf) -> Response:
    """Explain why a job waits: the smallest change that would unblock it, its place, and every daemon compared with it."""
    row = await job_of(job, context.index, caller)
    shows_daemons = await caller.may("list", DAEMONS, row.job.namespace)
    return json_of(Why, why(row.job, context.index, shows_daemons=shows_daemons))


@router.post("/jobs/{job}/cancel", response_model=ActionResult)
async def cancel_job(
    job: UUID, context: Context, caller: CallerOf, wanted: Annotated[CancelJob | None, Body()] = None
) -> Response:
    """Cancel a job of any type: a pending one leaves the queue, a running one is interrupted."""
    row = await job_of(job, context.index, caller)
    asked = wanted or CancelJob()
    expected = None if asked.expect_status is None else PHASE_OF[asked.expect_status]
    request = CancelRequest(reason=asked.reason, force=asked.force, expected=expected)
    return _answer(await actions.cancel(caller.client, row.job, request))


@router.post("/jobs/{job}/retry", response_model=ActionResult)
async def retry_job(job: UUID, context: Context, caller: CallerOf, idempotency_key: IdempotencyKey = "") -> Response:
    """Repeat a job that has ended: as a new job, or through the workspace or template that made it."""
    row = await job_of(job, context.index, caller)
    return _answer(await retry(caller.client, row.job, idempotency_key), names_object=True)


@router.post("/jobs/{job}/suspend", response_model=ActionResult)
async def suspend_job(job: UUID, context: Context, caller: CallerOf) -> Response:
    """Hold a pending job back from the queue; its pending timeout pauses."""
    row = await job_of(job, context.index, caller)
    return _answer(await actions.suspend(caller.client, row.job))


@router.post("/jobs/{job}/resume", response_model=ActionResult)
async def resume_job(job: UUID, context: Context, caller: CallerOf) -> Response:
    """Return a suspended job to the queue."""
    row = await job_of(job, context.index, caller)
    return _answer(await actions.resume(caller.client, row.job))


@router.put("/jobs/{job}/priority", response_model=ActionResult)
async def set_job_priority(
    job: UUID, wanted: Annotated[SetPriority, Body()], context: Context, caller: CallerOf
) -> Response:
    """Move a pending job in the queue."""
    row = await job_of(job, context.index, caller)
    return _answer(await actions.set_priority(caller.client, row.job, wanted.priority))


def _answer(outcome: Outcome, *, names_object: bool = False) -> Response:
    """Answer with an outcome. Raises Problem (409) if it is a refusal."""
    if outcome.is_refused:
        raise Problem(409, outcome.message, outcome.cause or "")
    body = outcome.body if names_object else None
    result = ActionResult(
        result="done" if outcome.result is Result.DONE else "nothing-to-do",
        message=outcome.message,
        cause=outcome.cause,
        name=None if body is None else body["metadata"]["name"],
        kind=None if body is None else body["kind"],
    )
    return json_of(ActionResult, result)

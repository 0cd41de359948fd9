"""Routes that cancel jobs, each for the jobs of one type; answers are Coder's."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from provisioner_operator.api.v1alpha1.enums import JobType, Phase
from provisioner_operator.core.jobs.requests import CancelRequest
from provisioner_operator.core.model.request_errors import Cause
from provisioner_operator.kube.errors import ForbiddenError
from provisioner_operator.web.access.caller import Caller
from provisioner_operator.web.actions import jobs
from provisioner_operator.web.coder.answers import json_of
from provisioner_operator.web.coder.convert.words import PHASE_OF
from provisioner_operator.web.coder.locate import job_of, not_found, version_of
from provisioner_operator.web.coder.models.answers import Answer
from provisioner_operator.web.dependencies import CallerOf, Context
from provisioner_operator.web.index.rows import JobRow
from provisioner_operator.web.problems import Problem
from provisioner_operator.web.words import CODER_TYPE_WORD

router = APIRouter(tags=["Cancel"])

ExpectedStatus = Annotated[
    Literal["", "pending", "running"],
    Query(description="The only status in which the job is canceled; empty for any, as Coder's client sends it."),
]

ACCEPTED = "Job has been marked as canceled..."


@router.patch("/workspacebuilds/{build}/cancel", response_model=Answer)
async def cancel_build(build: UUID, context: Context, caller: CallerOf, expect_status: ExpectedStatus = "") -> Response:
    """Cancel a build: a pending job leaves the queue, a running one is interrupted."""
    row = await job_of(build, context.index, caller)
    expected = PHASE_OF[expect_status] if expect_status else None
    return await _cancel(row, JobType.WORKSPACE_BUILD, caller, expected)


@router.patch("/templateversions/{version}/cancel", response_model=Answer)
async def cancel_import(version: UUID, context: Context, caller: CallerOf) -> Response:
    """Cancel the import of a template's version; of an import without a template, the id is the job's."""
    index = context.index
    if index.jobs.get(str(version)) is not None:
        return await _cancel(await job_of(version, index, caller), JobType.TEMPLATE_IMPORT, caller)
    found = await version_of(version, index, caller)
    row = index.jobs.named(found.template.namespace, found.version.import_job)
    if row is None:
        raise Problem(400, "Job has already completed!")
    return await _cancel(await job_of(UUID(row.job.uid), index, caller), JobType.TEMPLATE_IMPORT, caller)


@router.patch("/templateversions/{version}/dry-run/{job}/cancel", response_model=Answer)
async def cancel_dry_run(version: UUID, job: UUID, context: Context, caller: CallerOf) -> Response:
    """Cancel a dry run, or the plan of a workspace."""
    del version  # part of Coder's path; the job's id is enough
    return await _cancel(await job_of(job, context.index, caller), JobType.TEMPLATE_DRY_RUN, caller, end=".")


async def _cancel(
    row: JobRow, type_: JobType, caller: Caller, expected: Phase | None = None, *, end: str = "!"
) -> Response:
    if CODER_TYPE_WORD[row.job.type] != CODER_TYPE_WORD[type_]:
        raise not_found()
    try:
        outcome = await jobs.cancel(caller.client, row.job, CancelRequest(expected=expected))
    except ForbiddenError as error:
        if error.status != _FORBIDDEN:
            raise
        message = "You do not have permission to cancel this job: it takes the verb cancel on provisionerjobs."
        raise Problem(403, message, str(error)) from error
    match outcome.cause:
        case None:
            return json_of(Answer, Answer(message=ACCEPTED, detail=outcome.message))
        case Cause.UNEXPECTED_PHASE:
            raise Problem(412, "Job is not in the expected state.", outcome.message)
        case Cause.CANCEL_REQUESTED:
            raise Problem(400, f"Job has already been marked as canceled{end}", outcome.message)
        case Cause.ENDED | Cause.CANCELED:
            raise Problem(400, f"Job has already completed{end}", outcome.message)
        case _:
            raise Problem(409, outcome.message)


_FORBIDDEN = 403

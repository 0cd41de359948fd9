"""Routes of provisioner jobs: the list of an organization, the list of all, and one job."""

from collections.abc import Collection
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from provisioner_operator.api.v1alpha1.names import JOBS
from provisioner_operator.web.coder.answers import etag, json_of, link_to_next, not_modified
from provisioner_operator.web.coder.convert.ids import initiator_id
from provisioner_operator.web.coder.convert.jobs import provisioner_job
from provisioner_operator.web.coder.locate import as_uuid, job_of, organization_of
from provisioner_operator.web.coder.models.jobs import ProvisionerJob
from provisioner_operator.web.coder.parameters import JobParameters
from provisioner_operator.web.coder.tag_text import given_tags
from provisioner_operator.web.dependencies import CallerOf, Context
from provisioner_operator.web.index.cluster_index import ClusterIndex
from provisioner_operator.web.index.query import JobQuery, Page

router = APIRouter(tags=["Provisioner jobs"])

Selection = Annotated[JobParameters, Query()]


@router.get("/organizations/{organization}/provisionerjobs", response_model=list[ProvisionerJob])
async def list_provisioner_jobs(
    request: Request, organization: str, selection: Selection, context: Context, caller: CallerOf
) -> Response:
    """List the jobs of an organization, newest first.

    The header `X-Total-Count` counts all that the parameters select; `Link` leads to the next page.
    """
    namespace = await organization_of(organization, context.index, caller)
    return _listing(request, selection, context.index, {namespace})


@router.get("/provisioner/jobs", response_model=list[ProvisionerJob])
async def list_all_provisioner_jobs(
    request: Request, selection: Selection, context: Context, caller: CallerOf
) -> Response:
    """List the jobs of all organizations whose jobs the user may list, newest first."""
    return _listing(request, selection, context.index, await caller.visible(JOBS))


@router.get("/organizations/{organization}/provisionerjobs/{job}", response_model=ProvisionerJob)
async def get_provisioner_job(organization: str, job: UUID, context: Context, caller: CallerOf) -> Response:
    """Return a job of an organization."""
    namespace = await organization_of(organization, context.index, caller)
    row = await job_of(job, context.index, caller, namespace)
    return json_of(ProvisionerJob, provisioner_job(row, context.index))


def _listing(request: Request, selection: JobParameters, index: ClusterIndex, namespaces: Collection[str]) -> Response:
    tag = etag(request, index, namespaces, now=index.now() if selection.is_relative else None)
    if (unchanged := not_modified(request, tag)) is not None:
        return unchanged
    page = _page(selection, index, namespaces)
    headers = {"ETag": tag, "X-Total-Count": str(page.total)}
    if page.next is not None:
        headers |= link_to_next(request, before=page.next.text)
    return json_of(list[ProvisionerJob], [provisioner_job(row, index) for row in page.rows], headers=headers)


def _page(selection: JobParameters, index: ClusterIndex, namespaces: Collection[str]) -> Page:
    initiator = _initiator(selection.initiator, index, namespaces)
    if selection.selects_nothing or initiator is None:
        return Page((), None, 0)
    query = JobQuery(
        phases=selection.phases,
        stuck=selection.stuck,
        text=selection.q,
        uids=frozenset(str(each) for each in selection.ids),
        tags=given_tags(selection.tags),
        types=selection.types,
        template=selection.template,
        workspace=selection.workspace,
        daemon=selection.daemon,
        initiator=initiator,
        priority=selection.priority,
        since=selection.earliest(index.now()),
        before=selection.cursor,
    )
    return index.jobs.page(query, namespaces, selection.most)


def _initiator(text: str, index: ClusterIndex, namespaces: Collection[str]) -> str | None:
    """Return the name of the user that is given by id or name; empty if none is, None if nobody has this id."""
    uid = as_uuid(text)
    if uid is None:
        return text
    return next((name for name in index.jobs.initiators(namespaces) if initiator_id(name) == uid), None)

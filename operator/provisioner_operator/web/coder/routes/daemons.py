"""Routes of provisioner daemons: the list of an organization."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from provisioner_operator.api.v1alpha1.names import DAEMONS, JOBS
from provisioner_operator.core.model.matching import tags_match
from provisioner_operator.core.model.records import Daemon
from provisioner_operator.kube.parsing import UnparseableObjectError, parse_daemon
from provisioner_operator.web.coder.answers import etag, json_of, not_modified
from provisioner_operator.web.coder.convert.daemons import daemon_status, provisioner_daemon
from provisioner_operator.web.coder.durations import parse_duration
from provisioner_operator.web.coder.locate import organization_of
from provisioner_operator.web.coder.models.daemons import ProvisionerDaemon
from provisioner_operator.web.coder.parameters import DaemonParameters
from provisioner_operator.web.coder.tag_text import tags_of_job
from provisioner_operator.web.dependencies import CallerOf, Context
from provisioner_operator.web.index.cluster_index import ClusterIndex
from provisioner_operator.web.index.rows import ObjectRow

router = APIRouter(tags=["Provisioner daemons"])


@router.get("/organizations/{organization}/provisionerdaemons", response_model=list[ProvisionerDaemon])
async def list_provisioner_daemons(
    request: Request,
    organization: str,
    selection: Annotated[DaemonParameters, Query()],
    context: Context,
    caller: CallerOf,
) -> Response:
    """List the daemons of an organization, newest first; offline ones only if asked for.

    A heartbeat that changes nothing else does not change the `ETag`.
    """
    index = context.index
    namespace = await organization_of(organization, index, caller, DAEMONS)
    shows_jobs = await caller.may("list", JOBS, namespace)
    now = index.now() if selection.max_age else None
    tag = etag(request, index, {namespace}, {namespace} if shows_jobs else (), now=now)
    if (unchanged := not_modified(request, tag)) is not None:
        return unchanged
    found = list(_selected(selection, index, namespace))
    found.sort(key=lambda row: (-row.created, row.name))
    shown = [provisioner_daemon(row, index, shows_jobs=shows_jobs) for row in found[: selection.most]]
    return json_of(list[ProvisionerDaemon], shown, headers={"ETag": tag, "X-Total-Count": str(len(found))})


def _selected(selection: DaemonParameters, index: ClusterIndex, namespace: str) -> Iterator[ObjectRow]:
    wanted_ids = {str(each) for each in selection.ids}
    for row in index.daemons.of({namespace}):
        try:
            daemon = parse_daemon(row.body)
        except UnparseableObjectError:
            continue
        if (not wanted_ids or row.uid in wanted_ids) and _is_selected(daemon, selection, index):
            yield row


def _is_selected(daemon: Daemon, selection: DaemonParameters, index: ClusterIndex) -> bool:
    status = daemon_status(daemon, index)
    wanted_tags = tags_of_job(selection.tags)
    return (
        (status in selection.status if selection.status else status != "offline" or selection.offline)
        and (wanted_tags is None or tags_match(daemon.supply.tags, wanted_tags))
        and (not selection.max_age or _age(daemon, index.now()) <= parse_duration(selection.max_age))
    )


def _age(daemon: Daemon, now: float) -> float:
    """Return the seconds since the last heartbeat; infinite if there was none."""
    if daemon.heartbeat is None:
        return float("inf")
    return now - datetime.fromisoformat(daemon.heartbeat).timestamp()

"""Lines of a run's log for a client that follows it, until the index shows the end of the job as well.

Coder's client asks for the job once the log has ended, and takes a job that still runs then for a failure.
"""

import asyncio
from collections.abc import AsyncGenerator

from provisioner_operator.kube.errors import ApiError, UnreachableError
from provisioner_operator.web.access.caller import Caller
from provisioner_operator.web.coder.convert.logs import first_needed, followed_logs
from provisioner_operator.web.coder.models.base import time_of
from provisioner_operator.web.coder.models.jobs import ProvisionerJobLog
from provisioner_operator.web.index.cluster_index import ClusterIndex
from provisioner_operator.web.index.rows import JobRow
from provisioner_operator.web.logs.follow import follow_log
from provisioner_operator.web.logs.job_changes import job_changes

RESUME_SECONDS = 1.0
"""Pause before a log is read again after the API server was away."""


async def log_to_the_end(
    row: JobRow, index: ClusterIndex, caller: Caller, after: int
) -> AsyncGenerator[ProvisionerJobLog, None]:
    """Yield the lines after that id, and each further one as it comes; ends with the job."""
    while True:
        try:
            lines = follow_log(caller.client, row.job, job_changes(index), first_needed(after))
            async for each in followed_logs(lines, after):
                after = each.id
                yield each
            break
        except UnreachableError:
            await asyncio.sleep(RESUME_SECONDS)
        except ApiError as error:
            # Whoever may not read logs waits for the end nevertheless.
            yield _notice(after + 1, f"The log cannot be read: {error}", index)
            break
    await _end_of(row, index)


async def _end_of(row: JobRow, index: ClusterIndex) -> None:
    while True:
        version = index.version
        present = index.jobs.get(row.job.uid)
        if present is None or present.is_ended:
            return
        await index.changed(version)


def _notice(identity: int, text: str, index: ClusterIndex) -> ProvisionerJobLog:
    return ProvisionerJobLog(
        id=identity,
        created_at=time_of(index.now()),
        log_source="provisioner_daemon",
        log_level="warn",
        stage="",
        output=text,
    )

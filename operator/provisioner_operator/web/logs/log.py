"""Read the log of a job: from the daemon's Pod while it runs there, else from its archive."""

from dataclasses import dataclass
from enum import StrEnum

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.api.v1alpha1.names import log_archive_name
from provisioner_operator.core.jobs.lifecycle import STARTED, TERMINAL
from provisioner_operator.core.model.request_errors import Cause, NotPossibleError
from provisioner_operator.core.views.log_lines import missing_archive
from provisioner_operator.kube import paths
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.object_states import job_state
from provisioner_operator.web.actions.target import Target, read_target
from provisioner_operator.web.logs.archive import read_archive
from provisioner_operator.web.logs.lines import LogLine, numbered
from provisioner_operator.web.logs.pod_log import live_lines


class LogSource(StrEnum):
    """Places that a log is read from."""

    POD = "pod"
    """Live: the output of the daemon's Pod."""
    ARCHIVE = "archive"
    """A ConfigMap; that of an unfinished run is some time behind."""
    NONE = "none"
    """There is no log, or none yet."""


@dataclass(frozen=True, slots=True)
class Log:
    """The log of a job as it is now."""

    lines: tuple[LogLine, ...]
    source: LogSource
    name: str
    """Name of the Pod or ConfigMap; empty if there is no log."""
    truncated: bool
    """Whether lines were left out in the middle, where a notice says so."""
    is_complete: bool
    """Whether no more lines follow: the job has ended."""
    missing: Cause | None = None
    """Reason why there is no log."""
    message: str = ""
    """The same for people, in a sentence."""


async def read_log(client: KubeClient, job: Target) -> Log:
    """Return the log of this very job."""
    body = await read_target(client, paths.job(job.namespace, job.name), job)
    phase, started = job_state(body).phase, (body.get("status") or {}).get("startedAt") or ""
    if phase in STARTED and (live := await live_lines(client, job, body)) is not None:
        pod = job_state(body).daemon or ""
        return Log(numbered(live, time=started), LogSource.POD, pod, truncated=False, is_complete=False)
    archived = await read_archive(client, job) if started else None
    if archived is None:
        return _none(missing_archive(job.name, phase, started=bool(started), ended=phase in TERMINAL), phase)
    return Log(
        numbered(archived, time=started),
        LogSource.ARCHIVE,
        log_archive_name(job.name),
        truncated=any(line.is_omission for line in archived),
        is_complete=phase in TERMINAL,
    )


def _none(error: NotPossibleError, phase: Phase) -> Log:
    return Log(
        (),
        LogSource.NONE,
        "",
        truncated=False,
        is_complete=phase in TERMINAL,
        missing=error.cause,
        message=str(error),
    )

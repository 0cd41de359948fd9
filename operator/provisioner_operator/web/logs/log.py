"""Read the log of a job: from the daemon's Pod while it runs there, else from its archive."""

from contextlib import aclosing, suppress
from dataclasses import dataclass
from enum import StrEnum

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.api.v1alpha1.names import log_archive_name
from provisioner_operator.core.jobs.lifecycle import STARTED, TERMINAL
from provisioner_operator.core.model.request_errors import Cause, NotPossibleError
from provisioner_operator.core.views.log_lines import missing_archive
from provisioner_operator.kube import paths
from provisioner_operator.kube.client import KubeClient
from provisioner_operator.kube.errors import KubeError
from provisioner_operator.kube.object_states import Body, job_state
from provisioner_operator.web.actions.target import Target, read_target
from provisioner_operator.web.logs.archive import read_archive
from provisioner_operator.web.logs.lines import LogLine, numbered
from provisioner_operator.web.logs.pod_log import pod_of, printed_lines
from provisioner_operator.web.logs.recent_lines import RecentLines


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
    """Whether lines were left out, where a notice says so: in the middle of an archive, at the beginning of a live log."""
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
    if phase in STARTED and (live := await _live(client, job, body, started)) is not None:
        return live
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


async def _live(client: KubeClient, job: Target, body: Body, started: str) -> Log | None:
    """Return the end of what the daemon in its Pod has printed so far; None if that cannot be read.

    That is so if the Pod is gone, or the user may not read its output: the archive then has the most of it.
    """
    recent = RecentLines(time=started)
    with suppress(KubeError):
        pod = await pod_of(client, body)
        if pod is not None:
            async with aclosing(printed_lines(client, job, pod)) as lines:
                async for line in lines:
                    recent.add(line)
            return Log(recent.lines(), LogSource.POD, pod.name, truncated=recent.truncated, is_complete=False)
    return None


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

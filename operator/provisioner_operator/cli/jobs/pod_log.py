"""Read the log of a run from its daemon's Pod: the daemon prints the lines of its jobs, as JSON, to its own output."""

import time
from collections.abc import Callable, Iterator

from provisioner_operator.api.v1alpha1.job import ProvisionerJob
from provisioner_operator.cli.errors import CliError, ServerAwayError
from provisioner_operator.cli.session import Session
from provisioner_operator.cli.view import loading
from provisioner_operator.core.jobs.lifecycle import TERMINAL
from provisioner_operator.core.views.log_lines import Line, in_seconds, parse_console
from provisioner_operator.kube import paths
from provisioner_operator.kube.object_states import meta_of

_ENDED_CHECK_SECONDS = 1.0
"""Interval between two checks whether a followed job has ended."""


class NotLiveError(Exception):
    """The daemon's output cannot be read; the message says why."""


def pod_of(model: ProvisionerJob) -> str | None:
    """Return the name of the job's daemon, which is also the name of its Pod if it has one."""
    return model.status.assignment.daemon if model.status.assignment else None


def read_pod_log(session: Session, model: ProvisionerJob) -> tuple[list[Line], str]:
    """Return the lines printed so far, and the time of the last output by the clock of the Pod's node.

    Raises NotLiveError.
    """
    pod = pod_of(model)
    if pod is None or model.status.started_at is None:
        raise NotLiveError("The job has not started.")
    try:
        daemon = session.cluster.get(paths.daemon(session.namespace, pod))
        if not any(owner.kind == "Pod" for owner in meta_of(daemon).owners):
            raise NotLiveError(f"Daemon {pod} is not a Pod, so its output cannot be read.")
        params = {"sinceTime": in_seconds(model.status.started_at)}
        found = list(_output(session, model, params, quiet_seconds=session.cluster.timeout))
    except CliError as error:
        raise NotLiveError(f"The log of Pod {pod} cannot be read: {error}") from error
    return [line for _, line in found if line is not None], found[-1][0] if found else ""


def follow_pod_log(
    session: Session, model: ProvisionerJob, since: str, write: Callable[[Line], None]
) -> ProvisionerJob:
    """Write the lines after this time until the job has ended; returns the ended job.

    The daemon outlives the job, and so does the stream of its output: the job is checked at intervals.
    """
    params = {"follow": "true"}
    has_ended = False
    while True:
        checked = time.monotonic()
        try:
            query = params | ({"sinceTime": since} if since else {})
            for at, line in _output(session, model, query, quiet_seconds=_ENDED_CHECK_SECONDS):
                if at > since:  # sinceTime has whole seconds: the output of the last one is repeated
                    since = at
                    if line is not None:
                        write(line)
                if time.monotonic() - checked > _ENDED_CHECK_SECONDS and not has_ended:
                    break
        except ServerAwayError:
            pass  # the daemon was quiet, or the server is unreachable: then the next request fails too
        if has_ended:
            return model
        _, model = loading.read_job(session.cluster, session.namespace, model.metadata.name)
        if model.status.phase in TERMINAL:
            # The run printed its last line before the job ended: one more pass reads it, without following.
            has_ended, params = True, {}


def _output(
    session: Session, model: ProvisionerJob, params: dict[str, str], *, quiet_seconds: float
) -> Iterator[tuple[str, Line | None]]:
    """Yield the time of each line of the daemon's output, and the line if it is of this job."""
    path = f"{paths.pod(session.namespace, pod_of(model) or '')}/log"
    for text in session.cluster.lines(path, params | {"timestamps": "true"}, quiet_seconds=quiet_seconds):
        at, _, rest = text.partition(" ")
        yield at, parse_console(rest, session.namespace, model.metadata.name)

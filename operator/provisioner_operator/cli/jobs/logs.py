"""`jobs logs`: the run's lines, from the daemon's Pod while it runs, from the archive otherwise; it says which.

A daemon writes its jobs' lines to its own output, which is its Pod's log, as JSON; and saves each job's log as a ConfigMap
at growing intervals, and at the end.
"""

import re
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from provisioner_operator.api.v1alpha1.job import ProvisionerJob
from provisioner_operator.api.v1alpha1.names import JOB_LABEL, log_archive_name
from provisioner_operator.cli.api.client import Body
from provisioner_operator.cli.errors import CliError, NotFoundError, PreconditionError, ServerAwayError
from provisioner_operator.cli.output.table import safe
from provisioner_operator.cli.session import Session
from provisioner_operator.cli.view import loading
from provisioner_operator.core.jobs.lifecycle import STARTED, TERMINAL
from provisioner_operator.kube import paths

_KEY = "log"
_LOGGER_OF_JOBS = "job"
"""The `logger` of a job's lines in a daemon's output."""
_ARCHIVE_POLL_SECONDS = 2.0
"""An archive grows each ten seconds at most."""
_ARCHIVED = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) ([^:]*): (.*)", re.DOTALL)
_ENDED_CHECK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines, and how."""

    follow: bool = False
    since: float | None = None
    """Seconds."""
    tail: int | None = None
    stage: str | None = None
    timestamps: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a run; a notice that something was left out has no time and no stage."""

    text: str
    time: str = ""
    stage: str = ""


def parse_archived(text: str) -> Iterator[Line]:
    """The lines of an archive."""
    for line in text.splitlines():
        found = _ARCHIVED.fullmatch(line)
        yield Line(found[3], found[1], found[2]) if found else Line(line)


def parse_console(line: str, namespace: str, job: str) -> Line | None:
    """A line of a daemon's output, if it is of this job."""
    try:
        record = orjson.loads(line)
    except ValueError:
        return None
    if not isinstance(record, dict) or record.get("logger") != _LOGGER_OF_JOBS:
        return None
    if record.get("namespace") != namespace or record.get("job") != job:
        return None
    at = str(record.get("timestamp") or "")
    return Line(str(record.get("message") or ""), _in_seconds(at), str(record.get("stage") or ""))


def _in_seconds(at: str) -> str:
    try:
        return datetime.fromisoformat(at).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except ValueError:
        return ""


def select(lines: Iterable[Line], wanted: Wanted, now: float) -> list[Line]:
    """The lines that are asked for; what says that something was left out stays."""
    kept = (line for line in lines if is_wanted(line, wanted, now))
    return list(kept if wanted.tail is None else deque(kept, maxlen=wanted.tail))


def is_wanted(line: Line, wanted: Wanted, now: float) -> bool:
    """Whether this line is of the stage, and young enough."""
    if line.time and wanted.since is not None:
        oldest = datetime.fromtimestamp(now - wanted.since, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        if line.time < oldest:
            return False
    return wanted.stage is None or not line.stage or line.stage == wanted.stage


class NotLiveError(Exception):
    """The daemon's output cannot be read from here; the message says why."""


def print_log(session: Session, name: str, wanted: Wanted) -> None:
    """Print the log. Raises PreconditionError if there is none yet."""
    _, model = loading.read_job(session.cluster, session.namespace, name)
    if model.status.phase in STARTED:
        try:
            lines, until = _live(session, model)
        except NotLiveError as error:
            session.terminal.note(f"{error} Here is only what is archived so far.")
        else:
            session.terminal.note(f"Live from Pod {_pod(model)}:", "dim")
            _write(select(lines, wanted, session.cluster.now()), timestamps=wanted.timestamps)
            if wanted.follow:
                _follow_pod(session, model, wanted, until)
            return
    _print_archived(session, model, wanted)


def current_log(session: Session, name: str, wanted: Wanted) -> tuple[str, list[Line]]:
    """Where the log is from, and its lines as they are now. Raises PreconditionError if there is none yet."""
    _, model = loading.read_job(session.cluster, session.namespace, name)
    if model.status.phase in STARTED:
        with suppress(NotLiveError):
            return f"live from Pod {_pod(model)}", live(session, model, wanted)
    archive = _archive(session, model)
    if archive is None:
        raise _none_error(model)
    text = (archive.get("data") or {}).get(_KEY) or ""
    return "from the archive", select(parse_archived(text), wanted, session.cluster.now())


def live(session: Session, model: ProvisionerJob, wanted: Wanted) -> list[Line]:
    """The lines in the daemon's output, up to now. Raises NotLiveError."""
    lines, _ = _live(session, model)
    return select(lines, wanted, session.cluster.now())


def _live(session: Session, model: ProvisionerJob) -> tuple[list[Line], str]:
    """All its lines up to now, and up to when, by the clock of the Pod's node. Raises NotLiveError."""
    pod = _pod(model)
    if pod is None or model.status.started_at is None:
        raise NotLiveError("It has not started.")
    try:
        daemon = session.cluster.get(paths.daemon(session.namespace, pod))
        if not any(owner.get("kind") == "Pod" for owner in daemon["metadata"].get("ownerReferences") or ()):
            raise NotLiveError(f"Daemon {pod} is no Pod, so its output cannot be read.")
        since = model.status.started_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        found = list(_written(session, model, {"sinceTime": since}, quiet_seconds=session.cluster.timeout))
    except CliError as error:
        raise NotLiveError(f"The log of Pod {pod} cannot be read: {error}") from error
    return [line for _, line in found if line is not None], found[-1][0] if found else ""


def _written(
    session: Session, model: ProvisionerJob, params: dict[str, str], *, quiet_seconds: float
) -> Iterator[tuple[str, Line | None]]:
    """What the daemon wrote: when, by its node's clock, and the line if it is of this job."""
    path = f"{paths.pod(session.namespace, _pod(model) or '')}/log"
    for text in session.cluster.lines(path, params | {"timestamps": "true"}, quiet_seconds=quiet_seconds):
        at, _, rest = text.partition(" ")
        yield at, parse_console(rest, session.namespace, model.metadata.name)


def _pod(model: ProvisionerJob) -> str | None:
    """A daemon that is a Pod has its name."""
    return model.status.assignment.daemon if model.status.assignment else None


def _write(lines: Iterable[Line], *, timestamps: bool) -> None:
    for line in lines:
        sys.stdout.write(f"{formatted(line, timestamps=timestamps)}\n")
    sys.stdout.flush()


def formatted(line: Line, *, timestamps: bool) -> str:
    """The line as it is shown."""
    before = f"{line.time} " if timestamps and line.time else ""
    stage = f"{line.stage}: " if line.stage else ""
    return f"{before}{stage}{safe(line.text)}"


def _follow_pod(session: Session, model: ProvisionerJob, wanted: Wanted, since: str) -> None:
    """Go on until the job ends: its daemon lives on, and so does the stream, so the job is looked at now and then."""
    params = {"follow": "true"}
    has_ended = False
    while True:
        checked = time.monotonic()
        try:
            asked = params | ({"sinceTime": since} if since else {})
            for at, line in _written(session, model, asked, quiet_seconds=_ENDED_CHECK_SECONDS):
                if at > since:  # the API server counts in whole seconds, and gives those of the last one again
                    since = at
                    if line is not None and is_wanted(line, wanted, session.cluster.now()):
                        _write([line], timestamps=wanted.timestamps)
                if time.monotonic() - checked > _ENDED_CHECK_SECONDS and not has_ended:
                    break
        except ServerAwayError:
            pass  # it was quiet for a while, or the server is away: which of both, the next request tells
        if has_ended:
            _tell_end(session, model)
            return
        _, model = loading.read_job(session.cluster, session.namespace, model.metadata.name)
        if model.status.phase in TERMINAL:
            # All that its run wrote was written before: once more, to the end.
            has_ended, params = True, {}


def _tell_end(session: Session, model: ProvisionerJob) -> None:
    status = model.status
    session.terminal.note(f"{model.metadata.name}: {status.phase}. {status.message or ''}".rstrip(), "dim")


# --- archived ---


def _print_archived(session: Session, model: ProvisionerJob, wanted: Wanted) -> None:
    name = model.metadata.name
    archive = _archive(session, model)
    while archive is None and wanted.follow and model.status.phase not in TERMINAL:
        time.sleep(_ARCHIVE_POLL_SECONDS)
        _, model = loading.read_job(session.cluster, session.namespace, name)
        archive = _archive(session, model)
    if archive is None:
        raise _none_error(model)
    text = (archive.get("data") or {}).get(_KEY) or ""
    _tell_archive(session, model, text)
    _write(select(parse_archived(text), wanted, session.cluster.now()), timestamps=wanted.timestamps)
    if wanted.follow and model.status.phase in TERMINAL:
        _tell_end(session, model)
    elif wanted.follow:
        _follow_archive(session, model, text, wanted)


def _archive(session: Session, model: ProvisionerJob) -> Body | None:
    """The archive of this very job, not of an earlier one of its name."""
    path = paths.config_map(session.namespace, log_archive_name(model.metadata.name))
    try:
        found = session.cluster.get(path)
    except NotFoundError:
        return None
    owners = found["metadata"].get("ownerReferences") or ()
    labels = found["metadata"].get("labels") or {}
    is_its_own = any(owner.get("uid") == model.metadata.uid for owner in owners)
    return found if is_its_own and labels.get(JOB_LABEL) == model.metadata.name else None


def _none_error(model: ProvisionerJob) -> PreconditionError:
    name, status = model.metadata.name, model.status
    if status.started_at is None:
        return PreconditionError(f"The job {name!r} never started ({status.phase}): it has no log.")
    if status.phase in TERMINAL:
        return PreconditionError(f"The log of {name!r} was not archived, or its ConfigMap was deleted.")
    return PreconditionError(
        f"The log of {name!r} is not archived yet: its daemon saves it 10 s after the start; try -f."
    )


def _tell_archive(session: Session, model: ProvisionerJob, text: str) -> None:
    config_map = log_archive_name(model.metadata.name)
    log = model.status.log
    if log is not None and log.truncated:
        kept = len(text.encode())
        cut = f"; {kept} of {log.bytes} bytes, a line says where the middle was left out"
    elif model.status.phase in TERMINAL:
        cut = ""
    else:
        cut = ", as far as it is saved: it grows each 10 s at first, then less often"
    session.terminal.note(f"From the archive, ConfigMap {config_map}{cut}:", "dim")


def _follow_archive(session: Session, model: ProvisionerJob, shown: str, wanted: Wanted) -> None:
    """Print what the archive gains, until the job ends."""
    name = model.metadata.name
    while True:
        time.sleep(_ARCHIVE_POLL_SECONDS)
        _, model = loading.read_job(session.cluster, session.namespace, name)
        archive = _archive(session, model)
        text = ((archive or {}).get("data") or {}).get(_KEY) or shown
        if text != shown:
            fresh = gained(shown, text)
            now = session.cluster.now()
            _write((line for line in fresh if is_wanted(line, wanted, now)), timestamps=wanted.timestamps)
            shown = text
        if model.status.phase in TERMINAL:
            _tell_end(session, model)
            return


def gained(before: str, after: str) -> list[Line]:
    """The lines that an archive gained; its middle may have been left out since."""
    if after.startswith(before):
        return list(parse_archived(after[len(before) :]))
    old, new = before.splitlines(), after.splitlines()
    last = old[-1] if old else ""
    at = len(new) - 1 - new[::-1].index(last) if last in new else -1
    return list(parse_archived("\n".join(new[at + 1 :])))

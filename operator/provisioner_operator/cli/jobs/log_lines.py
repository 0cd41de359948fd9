"""Lines of a run's log: parsed from an archive or from a daemon's output, filtered and formatted. Pure."""

import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from provisioner_operator.cli.output.table import safe

_LOGGER_OF_JOBS = "job"
"""The `logger` of a job's lines in a daemon's output."""
_ARCHIVED = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) ([^:]*): (.*)", re.DOTALL)
_SECONDS = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class LogOptions:
    """The options of `jobs logs`."""

    follow: bool = False
    since: float | None = None
    """The greatest age of a line in seconds."""
    tail: int | None = None
    stage: str | None = None
    timestamps: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a log; a notice about omitted lines has no time and no stage."""

    text: str
    time: str = ""
    stage: str = ""


def parse_archived(text: str) -> Iterator[Line]:
    """Yield the lines of an archive."""
    for line in text.splitlines():
        found = _ARCHIVED.fullmatch(line)
        yield Line(found[3], found[1], found[2]) if found else Line(line)


def parse_console(line: str, namespace: str, job: str) -> Line | None:
    """Return the line that a daemon's output, one JSON object, has of this job; None for other output."""
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


def in_seconds(moment: datetime) -> str:
    """Return the time in UTC, to the second, as archives have it."""
    return moment.astimezone(UTC).strftime(_SECONDS)


def _in_seconds(at: str) -> str:
    try:
        return in_seconds(datetime.fromisoformat(at))
    except ValueError:
        return ""


def select(lines: Iterable[Line], options: LogOptions, now: float) -> list[Line]:
    """Return the requested lines, and the notices about omitted ones."""
    kept = (line for line in lines if is_wanted(line, options, now))
    return list(kept if options.tail is None else deque(kept, maxlen=options.tail))


def is_wanted(line: Line, options: LogOptions, now: float) -> bool:
    """Return whether this line is of the requested stage and age."""
    if (
        line.time
        and options.since is not None
        and line.time < in_seconds(datetime.fromtimestamp(now - options.since, UTC))
    ):
        return False
    return options.stage is None or not line.stage or line.stage == options.stage


def formatted(line: Line, *, timestamps: bool) -> str:
    """Return the line as text."""
    before = f"{line.time} " if timestamps and line.time else ""
    stage = f"{line.stage}: " if line.stage else ""
    return f"{before}{stage}{safe(line.text)}"


def appended(before: str, after: str) -> list[Line]:
    """Return the lines that were added to an archive, also if lines of its middle were omitted at the same time."""
    if after.startswith(before):
        return list(parse_archived(after[len(before) :]))
    old, new = before.splitlines(), after.splitlines()
    last = old[-1] if old else ""
    at = len(new) - 1 - new[::-1].index(last) if last in new else -1
    return list(parse_archived("\n".join(new[at + 1 :])))

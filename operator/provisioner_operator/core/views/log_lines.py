"""Lines of a run's log: read from an archive, or from a daemon's output. Pure; used by the command line and the web server."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from provisioner_operator.api.v1alpha1.names import JOB_LABEL
from provisioner_operator.core.model.metadata import Metadata
from provisioner_operator.core.model.request_errors import Cause, NotPossibleError

ARCHIVE_KEY = "log"
"""Key of the text in the ConfigMap of an archive."""
_LOGGER_OF_JOBS = "job"
"""The `logger` of a job's lines in a daemon's output."""
_ARCHIVED = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) ([^:]*): (.*)", re.DOTALL)
_OMISSION = re.compile(r"--- \d+ bytes were left out here: .* ---")
_SECONDS = "%Y-%m-%dT%H:%M:%SZ"


class LogLevel(StrEnum):
    """Severities of lines."""

    INFO = "info"
    WARN = "warn"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a log; a notice about omitted lines has no time and no stage."""

    text: str
    time: str = ""
    stage: str = ""

    @property
    def is_omission(self) -> bool:
        """Whether it is the notice that lines were left out here."""
        return not self.time and _OMISSION.fullmatch(self.text) is not None

    @property
    def level(self) -> LogLevel:
        """Severity, by the word with which a diagnostic of the run begins."""
        if self.text.startswith("Error: "):
            return LogLevel.ERROR
        return LogLevel.WARN if self.text.startswith("Warning: ") else LogLevel.INFO


def is_archive_of(config_map: Metadata, job: str, uid: str) -> bool:
    """Return whether this ConfigMap is the archive of this very job, not of an earlier one of its name."""
    return config_map.labels.get(JOB_LABEL) == job and any(owner.uid == uid for owner in config_map.owners)


def parse_archived(text: str) -> Iterator[Line]:
    """Yield the lines of an archive."""
    for line in text.splitlines():
        found = _ARCHIVED.fullmatch(line)
        yield Line(found[3], found[1], found[2]) if found else Line(line)


def parse_console(line: str, namespace: str, job: str) -> Line | None:
    """Return the line that a daemon's output, one JSON object, has of this job; None for other output."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict) or record.get("logger") != _LOGGER_OF_JOBS:
        return None
    if record.get("namespace") != namespace or record.get("job") != job:
        return None
    at = str(record.get("timestamp") or "")
    return Line(str(record.get("message") or ""), _in_seconds(at), str(record.get("stage") or ""))


def appended(before: str, after: str) -> list[Line]:
    """Return the lines that were added to an archive, also if lines of its middle were omitted at the same time."""
    if after.startswith(before):
        return list(parse_archived(after[len(before) :]))
    old, new = before.splitlines(), after.splitlines()
    last = old[-1] if old else ""
    at = len(new) - 1 - new[::-1].index(last) if last in new else -1
    return list(parse_archived("\n".join(new[at + 1 :])))


def in_seconds(moment: datetime) -> str:
    """Return the time in UTC, to the second, as archives have it."""
    return moment.astimezone(UTC).strftime(_SECONDS)


def missing_archive(name: str, phase: str, *, started: bool, ended: bool) -> NotPossibleError:
    """Return the error for a job without an archive."""
    if not started:
        return NotPossibleError(Cause.NO_LOG, f"The job {name!r} never started ({phase}): it has no log.")
    if ended:
        return NotPossibleError(
            Cause.NOT_ARCHIVED, f"The log of {name!r} was not archived, or its ConfigMap was deleted."
        )
    return NotPossibleError(
        Cause.NOT_ARCHIVED_YET, f"The log of {name!r} is not archived yet: its daemon saves it 10 s after the start."
    )


def _in_seconds(at: str) -> str:
    try:
        return in_seconds(datetime.fromisoformat(at))
    except ValueError:
        return ""

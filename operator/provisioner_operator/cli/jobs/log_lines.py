"""Select the lines of a log that a user asked for, and format them. Pure."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from provisioner_operator.cli.output.table import safe
from provisioner_operator.core.views.log_lines import Line, in_seconds


@dataclass(frozen=True, slots=True)
class LogOptions:
    """The options of `jobs logs`."""

    follow: bool = False
    since: float | None = None
    """The greatest age of a line in seconds."""
    tail: int | None = None
    stage: str | None = None
    timestamps: bool = False


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

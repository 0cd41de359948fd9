"""Lines of a job's log as its page shows them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from provisioner_operator.web.actions.target import Target
from provisioner_operator.web.logs.lines import LogLine
from provisioner_operator.web.logs.log import Log, LogSource
from provisioner_operator.web.page import paths
from provisioner_operator.web.page.words import counted

FIRST_LINES = 1000
"""Lines that the page shows at first."""
MOST_LINES = 20_000
"""Lines that a browser still scrolls smoothly; the file has all of them."""


@dataclass(frozen=True, slots=True)
class ShownLine:
    """One line."""

    number: int
    time: str
    """Time of day; the date is in `exact`."""
    exact: str
    stage: str
    level: str
    text: str


@dataclass(frozen=True, slots=True)
class StageChoice:
    """One stage of the filter."""

    name: str
    href: str
    current: bool


@dataclass(frozen=True, slots=True)
class LogView:
    """The log as far as the page shows it."""

    lines: tuple[ShownLine, ...]
    stages: tuple[StageChoice, ...]
    source: str
    """Origin of the lines, in a sentence."""
    older: str
    """Address of the page with more lines; empty if all are there."""
    older_label: str
    follow: str
    """Address of the stream of further lines; empty if none follow."""
    download: str
    message: str
    """Reason why there are no lines."""


def shown(line: LogLine) -> ShownLine:
    """Return a line as the page shows it."""
    return ShownLine(line.number, line.time[11:19], line.time, line.stage, line.level, line.text)


def log_view(log: Log, job: Target, stage: str, most: int) -> LogView:
    """Return the last lines of the stage, or of all."""
    path = paths.job_log(job.namespace, job.name)
    kept = _of_stage(log.lines, stage)
    older = max(0, len(kept) - most)
    more = min(most * 5, MOST_LINES)
    last = log.lines[-1].number if log.lines else 0
    return LogView(
        lines=tuple(map(shown, kept[-most:])),
        stages=_stages(log.lines, stage, path),
        source=_source(log),
        older=_address(path, stage=stage, lines=str(more)) if older and more > most else "",
        older_label=f"Show {counted(min(older, more - most), 'older line')}",
        follow="" if log.is_complete else _address(path, stage=stage, after=str(last), uid=job.uid),
        download=_address(path, stage=stage, format="text"),
        message=log.message if not log.lines else "",
    )


def as_text(lines: Sequence[LogLine], stage: str) -> str:
    """Return the log as a file has it."""
    return "".join(f"{line.time} {line.stage or '-'}: {line.text}\n" for line in _of_stage(lines, stage))


def _of_stage(lines: Sequence[LogLine], stage: str) -> list[LogLine]:
    return [each for each in lines if not stage or each.stage in ("", stage)]


def _stages(lines: Sequence[LogLine], chosen: str, path: str) -> tuple[StageChoice, ...]:
    names = dict.fromkeys(each.stage for each in lines if each.stage)
    choices = [StageChoice("All stages", path, not chosen)]
    return (*choices, *(StageChoice(each, _address(path, stage=each), each == chosen) for each in names))


def _source(log: Log) -> str:
    if log.source is LogSource.POD:
        return f"Live, from Pod {log.name}." + (" Its beginning is left out: the log is long." if log.truncated else "")
    if log.source is LogSource.NONE:
        return ""
    cut = " Its middle was left out because the log was too long." if log.truncated else ""
    pace = "" if log.is_complete else " It is some time behind the run."
    return f"From the archive, ConfigMap {log.name}.{cut}{pace}"


def _address(path: str, **parameters: str) -> str:
    given = {key: value for key, value in parameters.items() if value}
    return f"{path}?{urlencode(given)}" if given else path

"""Lines of a run's log in Coder's shape. Pure.

A stage begins with a line of its own without output: Coder's client takes the first line of a stage for its headline. Line n
of the log has the id 2n, and the headline before it 2n - 1, so that a reader can go on after either.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from datetime import datetime

from provisioner_operator.web.coder.models.base import ZERO_TIME
from provisioner_operator.web.coder.models.jobs import ProvisionerJobLog
from provisioner_operator.web.logs.lines import LogLine

_IDS_PER_LINE = 2


def first_needed(after: int) -> int:
    """Return the number of the line after which to read, for a reader who has the ids up to `after`.

    One line more than is new, whose stage tells whether the next one begins another.
    """
    return max(0, after // _IDS_PER_LINE - 1)


class StageHeadlines:
    """Converts lines in their order, and adds the headline of each stage."""

    def __init__(self, after: int = 0) -> None:
        """`after` is the last id that the reader has."""
        self._after = after
        self._stage = ""

    def converted(self, line: LogLine) -> Iterator[ProvisionerJobLog]:
        """Yield the headline, if a stage begins, and the line, unless the reader has them."""
        identity = line.number * _IDS_PER_LINE
        if line.stage and line.stage != self._stage and identity - 1 > self._after:
            yield _log(line, identity - 1, "")
        self._stage = line.stage
        if identity > self._after:
            yield _log(line, identity, line.text)


def provisioner_logs(lines: Iterable[LogLine], after: int = 0) -> list[ProvisionerJobLog]:
    """Convert the lines of a whole log, or of its end."""
    headlines = StageHeadlines(after)
    return [each for line in lines for each in headlines.converted(line)]


async def followed_logs(lines: AsyncIterator[LogLine], after: int = 0) -> AsyncGenerator[ProvisionerJobLog, None]:
    """Convert lines as they come."""
    headlines = StageHeadlines(after)
    try:
        async for line in lines:
            for each in headlines.converted(line):
                yield each
    finally:
        if isinstance(lines, AsyncGenerator):
            await lines.aclose()


def text_of(log: ProvisionerJobLog) -> str:
    """Return a line as text, in Coder's format."""
    at = log.created_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"{at} [{log.log_level}] [provisioner|{log.stage}] {log.output}"


def _log(line: LogLine, identity: int, output: str) -> ProvisionerJobLog:
    return ProvisionerJobLog(
        id=identity,
        created_at=datetime.fromisoformat(line.time) if line.time else ZERO_TIME,
        log_source="provisioner" if line.stage else "provisioner_daemon",
        log_level=line.level.value,
        stage=line.stage,
        output=output,
    )

"""Keep the end of a log of any length in bounded memory, with the numbers that its lines have in the whole. Pure."""

from collections import deque

from provisioner_operator.core.views.log_lines import Line, LogLevel
from provisioner_operator.web.logs.lines import LogLine, Progress

MOST_LINES = 20_000
"""Lines that are kept: as many as a page shows."""
MOST_CHARACTERS = 2 * 1024 * 1024
"""Characters that are kept: more than the archive of the log will have."""


class RecentLines:
    """The last lines of a log, and a notice in place of those before them."""

    def __init__(self, *, time: str = "", most: int = MOST_LINES, characters: int = MOST_CHARACTERS) -> None:
        """`time` is that of a notice that is the first line."""
        self._progress = Progress(time=time)
        self._most = most
        self._characters = characters
        self._kept: deque[LogLine] = deque()
        self._size = 0
        self._left_out: LogLine | None = None

    def add(self, line: Line) -> None:
        """Add the next line of the log."""
        added = self._progress.add(line)
        self._kept.append(added)
        self._size += len(added.text)
        while len(self._kept) > self._most or self._size > self._characters:
            self._left_out = self._kept.popleft()
            self._size -= len(self._left_out.text)

    @property
    def truncated(self) -> bool:
        """Whether lines were left out."""
        return self._left_out is not None

    def lines(self) -> tuple[LogLine, ...]:
        """Return the lines; the notice has the number of the last one that it stands for."""
        last = self._left_out
        if last is None:
            return tuple(self._kept)
        text = (
            f"--- The first {last.number} lines are not shown: the log is too long to be read whole while it grows ---"
        )
        return (LogLine(last.number, last.time, "", LogLevel.WARN, text), *self._kept)

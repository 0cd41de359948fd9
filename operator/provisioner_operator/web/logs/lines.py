"""Number the lines of a log, and continue after those that a reader has. Pure.

A log may be read from the Pod first and from the archive later. Both have the same lines, until the archive leaves out its
middle.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from provisioner_operator.core.model.printable_text import printable
from provisioner_operator.core.views.log_lines import Line, LogLevel


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a log, without codes for terminals."""

    number: int
    """Place in the log, from 1. Lines that were left out do not count."""
    time: str
    """RFC 3339 in UTC, to the second; of a notice, the time of the line before it."""
    stage: str
    """Stage of the run; empty for a notice."""
    level: LogLevel
    text: str


class Progress:
    """The lines that a reader has: how many, and the last one."""

    def __init__(self, number: int = 0, *, time: str = "") -> None:
        """Begin after the line of this number; `time` is that of a notice that is the first line."""
        self.number = number
        self._time = time
        self._last: Line | None = None

    def add(self, line: Line) -> LogLine:
        """Return the next line with its number."""
        self.number += 1
        self._time = line.time or self._time
        self._last = line
        return LogLine(self.number, self._time, line.stage, line.level, printable(line.text))

    def pass_over(self, line: Line) -> None:
        """Take note of a line that the reader has from before."""
        self._time = line.time or self._time
        self._last = line

    def add_rest(self, lines: Sequence[Line]) -> Iterator[LogLine]:
        """Yield the lines of the whole log that the reader does not have."""
        for line in lines[self._first_new(lines) :]:
            yield self.add(line)

    def _first_new(self, lines: Sequence[Line]) -> int:
        """Return the position of the first line that the reader does not have."""
        last = self._last
        omission = next((at for at, line in enumerate(lines) if line.is_omission), len(lines))
        if last is None or self.number <= omission:
            return self.number
        # Positions no longer count after the omission. Rather a line twice than one that is missing.
        end = range(omission + 1, len(lines))
        same_time = [at for at in end if lines[at].time == last.time]
        known = next((at for at in same_time if (lines[at].text, lines[at].stage) == (last.text, last.stage)), None)
        if known is not None:
            return known + 1
        return next((at for at in end if lines[at].time >= last.time), len(lines))


def numbered(lines: Iterable[Line], *, time: str = "") -> tuple[LogLine, ...]:
    """Number the lines of a whole log; `time` is that of a notice that is the first line."""
    progress = Progress(time=time)
    return tuple(progress.add(line) for line in lines)

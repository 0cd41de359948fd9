"""Write the daemon's messages and its jobs' lines to standard output as JSON lines.

Never blocks the event loop: a slow reader of the output must not delay the heartbeat. A run waits until its lines are written,
so that a flood slows that run and nothing else; but not for a reader that has stopped, which would stop all runs.
"""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from pythonjsonlogger.json import JsonFormatter
from typing_extensions import override

from provisioner_operator.daemon.logs.output_writer import OutputWriter

PATIENCE_SECONDS = 10.0
"""The time that a run waits for a reader. From then on, until somebody reads again, lines wait or are left out instead."""
LAST_WORDS_SECONDS = 5.0
"""The time that the end of the process waits for a reader of its last messages."""


class Console(Protocol):
    """The destination of all jobs' lines."""

    async def write(self, namespace: str, job: str, stage: str, lines: Sequence[str]) -> None:
        """Write these lines of a job's stage."""


class JsonConsole:
    """JSON lines on standard output."""

    def __init__(self, writer: OutputWriter) -> None:
        self._writer = writer
        self._formatter = _formatter()

    async def write(self, namespace: str, job: str, stage: str, lines: Sequence[str]) -> None:
        """Write these lines of a job's stage; returns when they are written, or when nobody reads them."""
        fields = {"name": "job", "levelname": "INFO", "levelno": logging.INFO}
        fields |= {"namespace": namespace, "job": job, "stage": stage}
        text = "".join(self._formatter.format(logging.makeLogRecord(fields | {"msg": line})) + "\n" for line in lines)
        if not text:
            return
        written = self._writer.offer(text.encode(errors="replace"))
        if written is None or self._writer.is_stuck:
            return
        done, _ = await asyncio.wait([asyncio.wrap_future(written)], timeout=PATIENCE_SECONDS)
        if not done:
            self._writer.is_stuck = True


class _Entry(logging.Handler):
    """Hands the daemon's own messages to the writer; waits for nothing."""

    def __init__(self, writer: OutputWriter) -> None:
        super().__init__()
        self._writer = writer
        self.setFormatter(_formatter())

    @override
    def emit(self, record: logging.LogRecord) -> None:
        self._writer.offer((self.format(record) + "\n").encode(errors="replace"))


@contextmanager
def logging_to(writer: OutputWriter, level: int = logging.INFO) -> Iterator[None]:
    """Send the daemon's own log messages to the writer."""
    root = logging.getLogger()
    entry = _Entry(writer)
    root.addHandler(entry)
    root.setLevel(level)
    # Its message for each retry would bury the daemon's own, which name the cause and the remedy.
    logging.getLogger("stamina").setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.removeHandler(entry)
        writer.flush(LAST_WORDS_SECONDS)


def _formatter() -> JsonFormatter:
    return JsonFormatter(
        "%(levelname)s %(name)s %(message)s",
        rename_fields={"levelname": "level", "name": "logger"},
        timestamp=True,
    )

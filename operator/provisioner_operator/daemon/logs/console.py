"""Write the daemon's messages and its jobs' lines to standard output as JSON lines.

Never blocks the event loop: a slow reader of the output must not delay the heartbeat. The daemon's own messages go through
a queue; a run waits until its lines are written, so that a flood slows that run and nothing else.
"""

import asyncio
import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from logging.handlers import QueueHandler, QueueListener
from queue import SimpleQueue
from typing import Protocol, TextIO

from pythonjsonlogger.json import JsonFormatter


class Console(Protocol):
    """The destination of all jobs' lines."""

    async def write(self, namespace: str, job: str, stage: str, lines: Sequence[str]) -> None:
        """Write these lines of a job's stage."""


class JsonConsole:
    """JSON lines on a text stream."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._formatter = _formatter()

    async def write(self, namespace: str, job: str, stage: str, lines: Sequence[str]) -> None:
        """Write these lines of a job's stage; returns when they are written."""
        fields = {"name": "job", "levelname": "INFO", "levelno": logging.INFO}
        fields |= {"namespace": namespace, "job": job, "stage": stage}
        text = "".join(self._formatter.format(logging.makeLogRecord(fields | {"msg": line})) + "\n" for line in lines)
        await asyncio.to_thread(self._emit, text)

    def _emit(self, text: str) -> None:
        # The reader of the output may be gone: the archive still has the log, and the run goes on.
        with suppress(OSError, ValueError):
            self._stream.write(text)
            self._stream.flush()


@contextmanager
def logging_to(stream: TextIO | None = None, level: int = logging.INFO) -> Iterator[None]:
    """Send the daemon's own log messages to the stream (standard output), through a thread."""
    queue: SimpleQueue[logging.LogRecord] = SimpleQueue()
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(_formatter())
    listener = QueueListener(queue, handler)
    root = logging.getLogger()
    entry = QueueHandler(queue)
    root.addHandler(entry)
    root.setLevel(level)
    # Its message for each retry would bury the daemon's own, which name the cause and the remedy.
    logging.getLogger("stamina").setLevel(logging.ERROR)
    listener.start()
    try:
        yield
    finally:
        root.removeHandler(entry)
        listener.stop()


def _formatter() -> JsonFormatter:
    return JsonFormatter(
        "%(levelname)s %(name)s %(message)s",
        rename_fields={"levelname": "level", "name": "logger"},
        timestamp=True,
    )

"""Write lines to standard output from a thread of their own, which alone waits when nobody reads them.

Used by `console`. The event loop's other threads stay free: the daemon needs them for its runs and to look up names. The thread
holds no lock of a stream while it waits, so that the process can end meanwhile.
"""

import logging
import os
import select
import threading
from concurrent.futures import Future
from contextlib import suppress
from queue import SimpleQueue

STANDARD_OUTPUT = 1
logger = logging.getLogger(__name__)

MOST_PENDING_BYTES = 4 * 1024 * 1024
"""Bytes that wait to be written; further lines are left out and counted. The archive of each log has them."""


class OutputWriter:
    """A file descriptor and the lines that wait for it, in order."""

    def __init__(self, descriptor: int = STANDARD_OUTPUT) -> None:
        self._descriptor = descriptor
        self._queue: SimpleQueue[tuple[bytes, Future[None]]] = SimpleQueue()
        self._lock = threading.Lock()
        self._pending = 0
        self._left_out = 0
        self._thread: threading.Thread | None = None
        self.is_stuck = False
        """Set by who waited for the reader in vain; False again once something is written."""

    def offer(self, data: bytes) -> "Future[None] | None":
        """Queue whole lines and return the future of their writing; None if they are left out, as too many wait already."""
        with self._lock:
            if self._pending and self._pending + len(data) > MOST_PENDING_BYTES:
                self._left_out += data.count(b"\n")
                return None
            self._pending += len(data)
            if self._thread is None:
                self._thread = threading.Thread(target=self._write_all, name="output", daemon=True)
                self._thread.start()
        written: Future[None] = Future()
        self._queue.put((data, written))
        return written

    def flush(self, seconds: float) -> None:
        """Wait until all is written, but not longer than so many seconds."""
        if self._thread is not None:
            last: Future[None] = Future()
            self._queue.put((b"", last))
            with suppress(TimeoutError):
                last.result(seconds)

    def _write_all(self) -> None:
        while True:
            data, written = self._queue.get()
            # The reader of the output may be gone: the archive still has the log, and the run goes on.
            with suppress(OSError):
                self._write(data)
            with self._lock:
                self._pending -= len(data)
                left_out, self._left_out = self._left_out, 0
            self.is_stuck = False
            if left_out:
                logger.warning(
                    "Nobody read the output: %d lines are left out of it here. The jobs' logs have theirs.", left_out
                )
            written.set_result(None)

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:  # a terminal that another program made non-blocking
                poller = select.poll()
                poller.register(self._descriptor, select.POLLOUT)
                poller.poll()

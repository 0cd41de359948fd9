"""Keep a run's log in bounded memory: its beginning, its end, and a notice of what was left out between them.

Pure; written by `run_log`, read by `archive`.
"""

from collections import deque

CAP = 1024 * 1024
"""Bytes that a ConfigMap holds."""
LONGEST_LINE = 8 * 1024
"""Bytes of one line; the rest is cut and counted."""
NOTICE_ROOM = 256
"""Bytes of the cap reserved for the notice in the middle."""
_HEAD_FRACTION = 4
"""The beginning gets one part in so many: the end of a log usually contains the reason of a failure."""


def cut_line(text: str, limit: int = LONGEST_LINE) -> str:
    """Return the line, cut to the limit in bytes with a note of how many are missing."""
    data = text.encode(errors="replace")
    if len(data) <= limit:
        return text
    kept = data[:limit].decode(errors="ignore")
    return f"{kept}… [{len(data) - len(kept.encode())} bytes of this line were cut]"


class JobLog:
    """Lines, at most `cap` bytes of them."""

    def __init__(self, cap: int = CAP) -> None:
        self._head_room = cap // _HEAD_FRACTION
        self._tail_room = cap - self._head_room - NOTICE_ROOM
        self._head: list[bytes] = []
        self._tail: deque[bytes] = deque()
        self._tail_size = 0
        self._omitted = 0
        self.size = 0
        """Bytes written so far, those left out included."""

    @property
    def truncated(self) -> bool:
        """True once anything was left out."""
        return self._omitted > 0

    def append(self, line: str) -> None:
        """Add one line, without its newline."""
        data = cut_line(line).encode(errors="replace").replace(b"\n", b" ") + b"\n"
        self.size += len(data)
        # Once a line did not fit, everything after it goes to the tail: the head must have no gaps.
        if not self._tail and not self._omitted and len(data) <= self._head_room:
            self._head_room -= len(data)
            self._head.append(data)
            return
        self._tail.append(data)
        self._tail_size += len(data)
        while self._tail_size > self._tail_room:
            dropped = len(self._tail.popleft())
            self._tail_size -= dropped
            self._omitted += dropped

    def text(self) -> str:
        """Return the whole log, or its beginning and its end with a notice in between."""
        notice = (
            f"--- {self._omitted} bytes were left out here: the log exceeds its limit ---\n" if self.truncated else ""
        )
        return (b"".join(self._head) + notice.encode() + b"".join(self._tail)).decode()

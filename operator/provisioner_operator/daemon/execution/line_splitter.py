"""Split chunks of bytes into lines of text, in bounded memory. Pure; used by `command`."""

LONGEST_LINE = 4 * 1024 * 1024
"""Bytes of a line that are kept together: more than the longest line in which Terraform reports a job's outputs."""


class LineSplitter:
    """Collects chunks and returns complete lines; bytes that are not UTF-8 are replaced."""

    def __init__(self, longest: int = LONGEST_LINE) -> None:
        self._longest = longest
        self._parts: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> list[str]:
        """Return the lines that this chunk completes; what exceeds the longest line counts as one."""
        head, newline, rest = chunk.rpartition(b"\n")
        lines: list[str] = []
        if newline:
            self._parts.append(head)
            lines = self._take().split("\n")
        self._parts.append(rest)
        self._size += len(rest)
        if self._size > self._longest:
            lines.append(self._take())
        return lines

    def rest(self) -> list[str]:
        """Return the last line if it had no newline."""
        last = self._take()
        return [last] if last else []

    def _take(self) -> str:
        text = b"".join(self._parts).decode(errors="replace")
        self._parts, self._size = [], 0
        return text

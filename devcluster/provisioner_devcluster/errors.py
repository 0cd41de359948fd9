"""The error type of this package; raised everywhere, caught only by the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# Enough for the last error of a Kubernetes component, and short enough for one screen.
TAIL_LINES = 15


class DevClusterError(Exception):
    """Error that a user can act on: the message says what failed, where, and what to do next."""


def tail(log: Path, lines: int = TAIL_LINES) -> str:
    """Return the last lines of a log, indented for an error message."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return "    (no log was written)"
    return "\n".join(f"    {line}" for line in text.splitlines()[-lines:]) or "    (the log is empty)"

"""The one error of this package. Raised everywhere, caught by the command line and by nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# Enough to hold the last error of a Kubernetes component, little enough for one screen.
TAIL_LINES = 15


class DevClusterError(Exception):
    """Something a user can act on: the message says what failed, where, and what to do next."""


def tail(log: Path, lines: int = TAIL_LINES) -> str:
    """Return the last lines of a log, indented to stand inside an error message."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return "    (no log was written)"
    return "\n".join(f"    {line}" for line in text.splitlines()[-lines:]) or "    (the log is empty)"

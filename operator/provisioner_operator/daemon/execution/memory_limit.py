"""Limit the memory of a process. Called by the daemon's programs that parse untrusted input."""

import contextlib
import resource


def limit_address_space(limit: int) -> None:
    """Let the process map at most so many bytes; beyond, Python raises MemoryError. Best effort: not on macOS."""
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

"""How much memory a program of the daemon's may take. Called by the programs that read what strangers wrote."""

import contextlib
import resource


def limit_address_space(limit: int) -> None:
    """Let the process map at most so many bytes; beyond, Python raises MemoryError. Best effort: not on macOS."""
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

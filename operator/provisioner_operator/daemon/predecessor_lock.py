"""A daemon that comes back waits for the runs that its former process left behind.

When a daemon's process dies, its guards stop what it ran, which may take as long as the grace. A new process that
reports under the same name tells the controller that those runs are over. So it must not report before they are: the
daemon holds a lock, every guard inherits it, and the next process waits until nobody does. Used by `__main__`. Between
machines, where no lock is shared, the fence does this work.
"""

import asyncio
import fcntl
import logging
import os
from hashlib import sha256
from pathlib import Path

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.2
"""How often to look whether the former process and its runs are gone."""


class SuccessionError(Exception):
    """The lock cannot be had; the message says which file and why."""


async def succeed(directory: Path, server: str, namespace: str, name: str) -> int:
    """Wait until no former process of this daemon and no run of it lives on this machine.

    `server` tells daemons of one name in different clusters apart. Returns the descriptor of the lock, which is held until this process and all that inherit it have ended. Raises
    SuccessionError.
    """
    identity = sha256(f"{server} {namespace} {name}".encode()).hexdigest()[:16]
    path = directory / f".provisioner-daemon-{identity}.lock"
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        message = f"Cannot open {path}: {error.strerror}. Give the daemon a --work-dir of its own that it may write to."
        raise SuccessionError(message) from error
    waiting = False
    while not _take(lock):
        if not waiting:
            waiting = True
            logger.warning(
                "A former process of daemon %s/%s, or a run of it, still lives: waiting for its end", namespace, name
            )
        await asyncio.sleep(LOOK_SECONDS)
    return lock


def _take(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

"""Make a restarted daemon wait for the runs that its former process left behind. Used by `__main__`.

When a daemon's process dies, its guards stop what it ran, which may take as long as the grace period. A new process that
reports under the same name makes the controller conclude that those runs are over. So it must not report before they are:
the daemon holds a lock, every guard inherits it, and the next process waits until nobody holds it. Between machines, which
share no lock, the fence does this work.
"""

import asyncio
import fcntl
import logging
import os
import re
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.2
"""The pause between two tries to get the lock."""
_SITE_DIGITS = 32
_SITE = re.compile(rf"[0-9a-f]{{{_SITE_DIGITS}}}")


class PredecessorLockError(Exception):
    """The lock file cannot be opened; the message names the file and the reason."""


def identity(server: str, namespace: str, name: str) -> str:
    """Return the digest that tells a daemon from all others, of other clusters too."""
    return sha256(f"{server} {namespace} {name}".encode()).hexdigest()[:16]


async def acquire(directory: Path, server: str, namespace: str, name: str) -> int:
    """Wait until no former process of this daemon, and no run of it, lives on this machine.

    Returns the descriptor of the lock, which is held until this process and all that inherit it have ended. Raises
    PredecessorLockError.

    Args:
        directory: Where the lock file lies; the same for every process of the daemon.
        server: The API server's URL, which tells daemons of one name in different clusters apart.
        namespace: The daemon's namespace.
        name: The daemon's name.
    """
    path = directory / f".provisioner-daemon-{identity(server, namespace, name)}.lock"
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        message = f"Cannot open {path}: {error.strerror}. Set --work-dir to a directory that the daemon can write to."
        raise PredecessorLockError(message) from error
    waiting = False
    while not _try_lock(lock):
        if not waiting:
            waiting = True
            logger.warning(
                "Waiting until the former process of daemon %s/%s and all its runs have ended", namespace, name
            )
        await asyncio.sleep(POLL_SECONDS)
    return lock


def site(lock: int) -> str:
    """Return the id of the place where the lock file lies, which the first holder of the lock writes into it.

    Whoever holds the lock knows that all others who ever held one of this id are gone, with their runs.
    """
    known = os.pread(lock, _SITE_DIGITS, 0).decode(errors="replace")
    if _SITE.fullmatch(known):
        return known
    made = uuid4().hex
    try:
        os.pwrite(lock, made.encode(), 0)
        os.fsync(lock)
    except OSError as error:
        logger.warning("Cannot write to the lock file of the daemon, so that a restart does not know it: %s", error)
    return made


def _try_lock(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

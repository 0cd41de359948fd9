"""Limit the whole logs that are read at a time: each costs memory until its answer is made."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

from provisioner_operator.web.problems import Problem

MOST_READS = 8
"""Logs that are read at a time; further readers wait."""
MOST_PER_USER = 4
"""Logs that one user may read or wait for at a time, so that others get their turn."""


class LogReads:
    """The whole logs that are being read."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(MOST_READS)
        self._of_users: Counter[str] = Counter()

    @asynccontextmanager
    async def place(self, user: str) -> AsyncIterator[None]:
        """Occupy a place, once one is free. Raises Problem (429) if the user has too many."""
        if self._of_users[user] >= MOST_PER_USER:
            message = f"You read {MOST_PER_USER} logs at this moment: wait until one is there."
            raise Problem(HTTPStatus.TOO_MANY_REQUESTS, message, headers={"Retry-After": "2"})
        self._of_users[user] += 1
        try:
            async with self._places:
                yield
        finally:
            self._of_users[user] -= 1
            if not self._of_users[user]:
                del self._of_users[user]

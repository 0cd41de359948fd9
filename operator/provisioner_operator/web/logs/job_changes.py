"""Wait for changes of a job by the index: a watch for each reader of a log would hold a connection of the API server."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from provisioner_operator.web.index.cluster_index import ClusterIndex

LOOK_SECONDS = 30.0
"""Time after which a job is looked at in any case: the index may have lost the API server, or may never get to know it."""
_PAUSE_SECONDS = 0.5
"""Time between two looks at the index: most of its changes are of other jobs."""

JobChanges = Callable[[str, int], Awaitable[None]]
"""Returns once the job of this uid may have another version than this one."""


def job_changes(index: ClusterIndex) -> JobChanges:
    """Return a function that waits for a job of this index."""

    async def changed(uid: str, version: int) -> None:
        was_known = False
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):
                while True:
                    seen, present = index.version, index.jobs.version(uid)
                    if present > version or (was_known and not present):
                        return
                    was_known = present > 0
                    await index.changed(seen)
                    await asyncio.sleep(_PAUSE_SECONDS)

    return changed

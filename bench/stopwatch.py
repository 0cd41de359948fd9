"""Times at which objects first reached a state, as seen by a watch.

All subjects are timed alike, by a watch as any user could open; no subject's own timestamps are used.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import jmespath

from bench.client import BenchError, Client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Sequence

PATIENCE_SECONDS = 180.0
"""Seconds without progress after which a subject has failed."""


@dataclass(frozen=True)
class Sign:
    """Sign in an object that its job has reached a state."""

    collection: str
    """The path of the objects to watch."""
    when: str
    """A JMESPath expression over the object: true, or anything but null and false."""
    of: str = "metadata.name"
    """A JMESPath expression for the name of the object's job."""

    @cached_property
    def _when(self) -> Any:
        return jmespath.compile(self.when)

    @cached_property
    def _of(self) -> Any:
        return jmespath.compile(self.of)

    def job(self, body: dict[str, Any]) -> str | None:
        """Return the job's name if the object shows the sign, else None."""
        if not self._when.search(body):
            return None
        name: str | None = self._of.search(body)
        return name


class Stopwatch:
    """Times by sign and job, from `time.perf_counter`."""

    def __init__(self, *signs: Sign) -> None:
        self._seen: dict[Sign, dict[str, float]] = {sign: {} for sign in signs}
        self._missing: dict[Sign, set[str]] = {}
        self._complete = asyncio.Event()
        self._broken_by: Exception | None = None

    def note(self, signs: Sequence[Sign], body: dict[str, Any]) -> None:
        """Look for signs in an object."""
        now = time.perf_counter()
        for sign in signs:
            if (job := sign.job(body)) is None:
                continue
            self._seen[sign].setdefault(job, now)
            if (missing := self._missing.get(sign)) is not None:
                missing.discard(job)
                if not missing:
                    self._complete.set()

    def fail(self, error: Exception) -> None:
        """Record that the watch has failed, and wake all that wait."""
        self._broken_by = error
        self._complete.set()

    async def until(self, sign: Sign, jobs: Collection[str]) -> dict[str, float]:
        """Wait until all jobs have shown the sign, and return the times. Raises BenchError if there is no progress."""
        missing = self._missing[sign] = set(jobs) - self._seen[sign].keys()
        while missing:
            before = len(missing)
            self._complete.clear()
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await self._complete.wait()
            except TimeoutError:
                if len(missing) == before:
                    raise BenchError(f"{before} of {len(jobs)} jobs never showed {sign.when}") from None
            if self._broken_by is not None:
                raise BenchError(f"The watch of {sign.collection} broke: {self._broken_by}")
        return {job: self._seen[sign][job] for job in jobs}


@asynccontextmanager
async def watching(client: Client, *signs: Sign) -> AsyncIterator[Stopwatch]:
    """Run a stopwatch that looks for these signs from now on."""
    stopwatch = Stopwatch(*signs)
    by_collection: dict[str, list[Sign]] = {}
    for sign in signs:
        by_collection.setdefault(sign.collection, []).append(sign)
    versions = [(await client.ask(path, limit="1"))["metadata"]["resourceVersion"] for path in by_collection]
    tasks = [
        asyncio.create_task(_follow(client, path, version, stopwatch, wanted))
        for (path, wanted), version in zip(by_collection.items(), versions, strict=True)
    ]
    try:
        yield stopwatch
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task


async def _follow(client: Client, path: str, version: str, stopwatch: Stopwatch, signs: Sequence[Sign]) -> None:
    try:
        while True:  # the API server ends a watch that does not keep up with a burst
            async for body in client.events(path, version):
                version = body["metadata"]["resourceVersion"]
                stopwatch.note(signs, body)
    except Exception as error:  # noqa: BLE001 - `until` raises it
        stopwatch.fail(error)

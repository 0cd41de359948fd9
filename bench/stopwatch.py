"""When each object was first seen to be so far: a watch, signs to look for, and the moments at which they were seen.

All subjects are timed by it alike, through a watch such as any user has; no subject's own word is taken.
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
"""A subject that gets no further within this time has failed."""


@dataclass(frozen=True)
class Sign:
    """What an object looks like that is so far."""

    collection: str
    """The path of the objects to watch."""
    when: str
    """A JMESPath expression over the object: true, or anything but null and false."""
    of: str = "metadata.name"
    """A JMESPath expression for the name of the job that the object tells of."""

    @cached_property
    def _when(self) -> Any:
        return jmespath.compile(self.when)

    @cached_property
    def _of(self) -> Any:
        return jmespath.compile(self.of)

    def job(self, body: dict[str, Any]) -> str | None:
        """The name of the job that is so far, by this object; None if it is not."""
        if not self._when.search(body):
            return None
        name: str | None = self._of.search(body)
        return name


class Stopwatch:
    """Moments by sign and job, on `time.perf_counter`."""

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
        """The watch is broken: whoever waits need wait no more."""
        self._broken_by = error
        self._complete.set()

    async def until(self, sign: Sign, jobs: Collection[str]) -> dict[str, float]:
        """Wait until all these jobs were seen to be so far, and return when. Raises BenchError if that stands still."""
        missing = self._missing[sign] = set(jobs) - self._seen[sign].keys()
        while missing:
            before = len(missing)
            self._complete.clear()
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await self._complete.wait()
            except TimeoutError:
                if len(missing) == before:
                    raise BenchError(f"{before} of {len(jobs)} jobs were never seen with {sign.when}") from None
            if self._broken_by is not None:
                raise BenchError(f"The watch of {sign.collection} broke: {self._broken_by}")
        return {job: self._seen[sign][job] for job in jobs}


@asynccontextmanager
async def watching(client: Client, *signs: Sign) -> AsyncIterator[Stopwatch]:
    """A stopwatch that looks for these signs from now on."""
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
    except Exception as error:  # noqa: BLE001 - whoever waits is to raise it
        stopwatch.fail(error)

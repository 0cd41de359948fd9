"""Repeat what the daemon cannot do without: a request until it is answered, a part of the daemon until it ends in order."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

import stamina

from provisioner_operator.kube.errors import PASSING, KubeError

logger = logging.getLogger(__name__)

T = TypeVar("T")

RESTART_SECONDS = 2.0
"""The pause before a part of the daemon is started again that failed unexpectedly."""

SLOWEST_RETRY_SECONDS = 5.0
"""The longest pause between tries: short enough to notice the API server's return."""


async def until_answered(
    request: Callable[[], Awaitable[T]],
    *,
    also: tuple[type[KubeError], ...] = (),
    attempts: int | None = None,
    seconds: float | None = None,
) -> T:
    """Send the request until it succeeds or is refused, and return the answer; raises what refused it.

    Args:
        request: Sends the request once.
        also: Refusals that are retried too, because they may pass.
        attempts: The most tries; without a limit if None.
        seconds: The longest time for all tries; without a limit if None.
    """
    async for attempt in stamina.retry_context(
        on=(*PASSING, *also), attempts=attempts, timeout=seconds, wait_max=SLOWEST_RETRY_SECONDS
    ):
        with attempt:
            return await request()
    raise AssertionError("stamina yields at least one attempt")


async def despite_errors(part: Callable[[], Awaitable[None]], *, expected: tuple[type[Exception], ...]) -> None:
    """Run a part of the daemon to its end, and again after each unexpected exception, so that a bug ends no run.

    Raises those that are expected.
    """
    while True:
        try:
            return await part()
        except expected:
            raise
        except Exception:
            logger.exception("Failed unexpectedly; runs go on, and it is tried again in %.0f s", RESTART_SECONDS)
        await asyncio.sleep(RESTART_SECONDS)

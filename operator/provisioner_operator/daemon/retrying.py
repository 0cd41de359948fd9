"""Repeat a request until the API server answers it. Used where the daemon cannot continue without the answer."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import stamina

from provisioner_operator.kube.errors import PASSING, KubeError

T = TypeVar("T")

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

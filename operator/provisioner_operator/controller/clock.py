"""The controller's clocks. No other module of it reads one, so that tests can replace them in one place."""

import time

from provisioner_operator.core.model.instant import Instant

_SINCE_BOOT = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def since_boot() -> float:
    """Read a clock that never jumps and, where the system has one, goes on while the machine is suspended.

    Leadership is judged by it: while this machine was suspended, another controller may have taken over.
    """
    return time.clock_gettime(_SINCE_BOOT)


def read() -> Instant:
    """Read the wall clock and the monotonic clock."""
    return Instant(time.time(), time.monotonic())

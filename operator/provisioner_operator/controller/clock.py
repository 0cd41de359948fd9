"""The one place where the controller reads its clocks."""

import time

from provisioner_operator.core.model.instant import Instant

_SINCE_BOOT = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def since_boot() -> float:
    """Seconds of a clock that never jumps and, where the system can, counts the time for which it is suspended.

    For whoever must know that others had time to act.
    """
    return time.clock_gettime(_SINCE_BOOT)


def read() -> Instant:
    """This moment, on both clocks."""
    return Instant(time.time(), time.monotonic())

"""The one place where the controller reads its clocks."""

import time

from provisioner_operator.core.instant import Instant


def read() -> Instant:
    """This moment, on both clocks."""
    return Instant(time.time(), time.monotonic())

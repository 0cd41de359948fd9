"""Represent the two clocks that a decision is given: code in the core never reads one."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Instant:
    """One moment, on both clocks.

    Timeouts that start at a time written in an object (creation, start) are measured by `wall`. Missed heartbeats are
    measured by `monotonic`, as the node controller does, so that skew between machines does not matter.
    """

    wall: float
    """Seconds since the epoch."""
    monotonic: float
    """Seconds of a clock that never jumps; only differences have a meaning."""

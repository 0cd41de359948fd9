"""Behavior of a hollow daemon towards a job, requested by the job's variable `hollow`."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = "hollow"
PAUSE_SECONDS = 0.2
"""Length of a run that only takes time."""


class Behavior(StrEnum):
    """Treatment of an assigned job."""

    IGNORE = "ignore"
    """Never acknowledge it, so that nothing after the assignment has a cost."""
    HOLD = "hold"
    """Acknowledge it, and run it until it is canceled."""
    FINISH = "finish"
    """Acknowledge and complete it at once."""
    PAUSE = "pause"
    """Acknowledge it, and complete it after `PAUSE_SECONDS`."""

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Behavior:
        """Return the behavior that a job requests."""
        values = (each["value"] for each in body["spec"].get("variables", ()) if each["name"] == VARIABLE)
        return cls(next(values, cls.FINISH))

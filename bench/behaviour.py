"""What a hollow daemon is to do with a job, as the job itself says in the variable `hollow`."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = "hollow"


class Behaviour(StrEnum):
    """What becomes of an assigned job."""

    IGNORE = "ignore"
    """It is never acknowledged: what follows the assignment costs nothing."""
    HOLD = "hold"
    """It is acknowledged and runs until it is canceled."""
    FINISH = "finish"
    """It is acknowledged and completed at once."""

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Behaviour:
        """The behaviour that a job asks for."""
        values = (each["value"] for each in body["spec"].get("variables", ()) if each["name"] == VARIABLE)
        return cls(next(values, cls.FINISH))

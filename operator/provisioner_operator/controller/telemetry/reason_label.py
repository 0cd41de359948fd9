"""Bound the values of labels that are made of reasons: daemons write reasons as free text, and each value is a time series."""

from enum import StrEnum

UNKNOWN = "Unknown"
"""The label of every reason that is not among the documented ones."""


def reason_label(reason: str | None, documented: type[StrEnum]) -> str:
    """Return the reason if it is a documented one."""
    return reason if reason is not None and reason in documented.__members__.values() else UNKNOWN

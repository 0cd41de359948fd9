"""Durations as Go writes them, such as `1h30m` or `500ms`. Pure."""

import re

_SECONDS_PER = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)")
_WHOLE = re.compile(rf"(?:{_PART.pattern})+")
_LONGEST = 100


def parse_duration(text: str) -> float:
    """Return a duration in seconds. Raises ValueError."""
    if text == "0":
        return 0.0
    if len(text) > _LONGEST or not _WHOLE.fullmatch(text):
        raise ValueError("is not a duration: write a number with a unit, such as 90s, 30m or 1h30m")
    return sum(float(number) * _SECONDS_PER[unit] for number, unit in _PART.findall(text))

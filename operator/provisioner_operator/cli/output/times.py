"""Parse and format times and durations for people. Pure."""

import re
from datetime import UTC, datetime

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?[smhdw])+")
_PART = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def parse_duration(text: str) -> float:
    """Return the seconds of `90s`, `5m`, `1h30m`, `2d` or a bare number of seconds. Raises ValueError."""
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    if not _DURATION.fullmatch(text):
        raise ValueError(f"{text!r} is not a duration: write it like 90s, 5m, 1h30m or 2d")
    return sum(float(amount) * _UNITS[unit] for amount, unit in _PART.findall(text))


def duration(seconds: float) -> str:
    """Return a duration in at most two units: `4s`, `2m5s`, `3h12m`, `5d`."""
    whole = int(max(0.0, seconds))
    if whole < _MINUTE:
        return f"{whole}s"
    if whole < _HOUR:
        return _two(whole, _MINUTE, "m", 1, "s", fine_until=10)
    if whole < _DAY:
        return _two(whole, _HOUR, "h", _MINUTE, "m", fine_until=24)
    return _two(whole, _DAY, "d", _HOUR, "h", fine_until=8)


def _two(whole: int, unit: int, name: str, smaller: int, smaller_name: str, *, fine_until: int) -> str:
    count, rest = whole // unit, whole % unit // smaller
    return f"{count}{name}{rest}{smaller_name}" if rest and count < fine_until else f"{count}{name}"


def moment(seconds: float | None, *, utc: bool) -> str:
    """Return a point in time, to the second, with its zone; empty if there is none."""
    if seconds is None:
        return ""
    if utc:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return datetime.fromtimestamp(seconds, UTC).astimezone().isoformat(timespec="seconds")

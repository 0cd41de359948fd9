"""Times and durations as the page shows them. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime

_MINUTE, _HOUR, _DAY, _WEEK = 60, 3600, 86_400, 604_800


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time, shown relative to the present."""

    exact: str
    """RFC 3339, in UTC."""
    text: str


@dataclass(frozen=True, slots=True)
class Elapsed:
    """A duration that may still grow."""

    iso: str
    """As HTML's `datetime` has it."""
    text: str
    since: float | None
    """Time from which it counts, in seconds since the epoch; None if it grows no more."""
    label: str = ""
    """Activity that it measures."""


def elapsed(seconds: int, since: float | None, label: str = "") -> Elapsed:
    """Return this duration in words."""
    return Elapsed(f"PT{seconds}S", duration(seconds), since, label)


def moment(seconds: float | None, now: float | None) -> Moment | None:
    """Return the time relative to `now`; without `now`, in words that do not change while it passes."""
    if seconds is None:
        return None
    at = datetime.fromtimestamp(seconds, UTC)
    return Moment(
        at.strftime("%Y-%m-%dT%H:%M:%SZ"), ago(now - seconds) if now is not None else at.strftime("%b %d %H:%M")
    )


def moment_of(written: str | None, now: float | None) -> Moment | None:
    """Return the time that the API wrote."""
    return moment(datetime.fromisoformat(written).timestamp(), now) if written else None


def ago(seconds: float) -> str:
    """Return the age in one unit: `just now`, `12s ago`, `5m ago`, `3h ago`, `2d ago`."""
    whole = int(seconds)
    if whole < 0:
        return f"in {duration(-whole)}"
    for unit, name in ((_WEEK, "w"), (_DAY, "d"), (_HOUR, "h"), (_MINUTE, "m")):
        if whole >= unit:
            return f"{whole // unit}{name} ago"
    return "just now" if not whole else f"{whole}s ago"


def duration(seconds: float) -> str:
    """Return a duration in at most two units: `4s`, `2m 5s`, `3h 12m`, `5d`."""
    whole = int(max(0.0, seconds))
    if whole < _MINUTE:
        return f"{whole}s"
    if whole < _HOUR:
        return _two(whole // _MINUTE, "m", whole % _MINUTE, "s", fine_until=10)
    if whole < _DAY:
        return _two(whole // _HOUR, "h", whole % _HOUR // _MINUTE, "m", fine_until=24)
    return _two(whole // _DAY, "d", whole % _DAY // _HOUR, "h", fine_until=8)


def _two(count: int, name: str, rest: int, smaller: str, *, fine_until: int) -> str:
    return f"{count}{name} {rest}{smaller}" if rest and count < fine_until else f"{count}{name}"

"""What a daemon's silence means, judged by the controller's own monotonic clock since the heartbeat last changed.

As the node controller does: the time that a daemon writes is only compared for change, so clocks may differ. Liveness
counts only once the API server, read afresh, confirms it; and when contact with the API server is back after an outage,
or this process has just begun, everyone gets a full period. A daemon that was deleted can no longer report, so its
period runs from its deletion.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from provisioner_operator.core.jobs.timeouts import offline_after
from provisioner_operator.core.model.instant import Instant

DEFAULT_LOST_AFTER = 300.0
"""For a daemon that was deleted before this process began: the default of its spec (Coder's five minutes)."""


@dataclass(slots=True)
class _Hearing:
    heard: float
    lost_after: float
    confirmed: float
    """How far the silence is confirmed by a fresh read."""
    deleted: bool = False
    asked: float = float("-inf")
    """When the last fresh read was asked for: what it confirms reaches no further, however late its answer."""
    dead: bool = False
    """The daemon's process is known to be over, whatever is still heard of it."""


class Liveness:
    """Hearing of each daemon, by uid."""

    def __init__(self) -> None:
        self._hearings: dict[str, _Hearing] = {}

    def heard(self, uid: str, lost_after: float, now: Instant) -> None:
        """A heartbeat changed, or the daemon was seen for the first time."""
        if (known := self._hearings.get(uid)) is not None and known.dead:
            return  # last words that come late
        self._hearings[uid] = _Hearing(now.monotonic, lost_after, now.monotonic)

    def asks(self, uid: str, now: Instant) -> None:
        """A fresh read of the daemon is about to be made."""
        if (hearing := self._hearings.get(uid)) is not None:
            hearing.asked = now.monotonic

    def unchanged(self, uid: str, lost_after: float, *, fresh: bool) -> None:
        """The daemon was seen with the heartbeat of before; `fresh` if read from the API server since it was asked."""
        hearing = self._hearings[uid]
        hearing.lost_after = lost_after
        if fresh:
            hearing.confirmed = max(hearing.confirmed, hearing.asked)

    def deleted(self, uid: str, now: Instant) -> None:
        """The daemon's object is gone, or was before this process began."""
        known = self._hearings.get(uid)
        if known is not None and known.deleted:
            return
        lost_after = known.lost_after if known is not None else DEFAULT_LOST_AFTER
        is_dead = known is not None and known.dead
        self._hearings[uid] = _Hearing(now.monotonic, lost_after, now.monotonic, deleted=True, dead=is_dead)

    def died(self, uid: str) -> None:
        """The daemon's process is certainly over: nobody need wait for its silence."""
        if (hearing := self._hearings.get(uid)) is not None:
            hearing.dead = True

    def forget(self, uid: str) -> None:
        """Nothing depends on this daemon any more."""
        self._hearings.pop(uid, None)

    def everyone_anew(self, now: Instant) -> None:
        """Contact is back: silence until now says nothing about the daemons."""
        for hearing in self._hearings.values():
            hearing.heard = hearing.confirmed = now.monotonic

    def uids(self) -> Iterator[str]:
        """All that were ever seen or noted as deleted, and are not forgotten."""
        return iter(self._hearings)

    def known(self, uid: str) -> bool:
        """Whether the daemon was ever seen or noted as deleted."""
        return uid in self._hearings

    def is_offline(self, uid: str) -> bool:
        """Confirmed silent for long enough to get no new job."""
        hearing = self._hearings.get(uid)
        if hearing is None or hearing.deleted or hearing.dead:
            return True
        return hearing.confirmed - hearing.heard >= offline_after(hearing.lost_after)

    def is_lost(self, uid: str, now: Instant) -> bool:
        """Known to be over, or confirmed silent for so long that its own fence has stopped its runs."""
        hearing = self._hearings.get(uid)
        if hearing is None:
            return False
        if hearing.dead:
            return True
        until = now.monotonic if hearing.deleted else hearing.confirmed
        return until - hearing.heard >= hearing.lost_after

    def wants_check(self, uid: str, now: Instant) -> bool:
        """Whether a threshold has passed that no fresh read has confirmed yet."""
        hearing = self._hearings.get(uid)
        if hearing is None or hearing.deleted or hearing.dead:
            return False
        return now.monotonic >= _next_threshold(hearing)

    def next_look(self, uid: str, now: Instant) -> float | None:
        """When to look at this daemon again if nothing is heard, on the monotonic clock; None when it is lost for good."""
        hearing = self._hearings.get(uid)
        if hearing is None or self.is_lost(uid, now):
            return None
        return hearing.heard + hearing.lost_after if hearing.deleted else _next_threshold(hearing)


def _next_threshold(hearing: _Hearing) -> float:
    offline = offline_after(hearing.lost_after)
    if hearing.confirmed - hearing.heard < offline:
        return hearing.heard + offline
    if hearing.confirmed - hearing.heard < hearing.lost_after:
        return hearing.heard + hearing.lost_after
    return float("inf")

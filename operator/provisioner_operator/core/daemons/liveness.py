"""Judge missed heartbeats by the controller's own monotonic clock, since the heartbeat last changed.

As the node controller does: the time that a daemon writes is only compared for change, so clocks may differ. A missed
heartbeat counts only once a fresh read from the API server confirms it. The time of an outage does not count, and when
this process has just started, every daemon gets a full period. A deleted daemon can no longer report: its period
starts at its last heartbeat, or at its deletion if a heartbeat before that may have gone unnoticed.

A daemon that runs nothing announces that its next heartbeat comes later, and is given that time; but one that is assigned a job
must report soon, since it takes the job or is dead. When it counts as lost does not depend on that.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from provisioner_operator.core.jobs.timeouts import offline_after
from provisioner_operator.core.model.instant import Instant

DEFAULT_LOST_AFTER = 300.0
"""Period for a daemon that was deleted before this process started: the default of its spec (Coder's five minutes)."""


@dataclass(slots=True)
class _Contact:
    heard: float
    lost_after: float
    confirmed: float
    """Time up to which a fresh read confirms that no heartbeat came."""
    deleted: bool = False
    asked: float = float("-inf")
    """Time at which the last fresh read was begun: it confirms nothing later, however late its answer."""
    dead: bool = False
    """Whether the daemon's process is known to be over, whatever is still observed of it."""
    idle_interval: float = 0.0
    """Time until its next heartbeat, as it announced because it runs nothing."""
    expected: float | None = None
    """Time since which a job is assigned to it, so that it has to report soon; None if none is."""
    suspect: bool = False
    """Whether it has not acknowledged a job in time."""

    offline_at: float = field(init=False)
    """Time at which it gets no new job any more, unless a heartbeat comes: asked for far more often than it changes."""

    def __post_init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """Bring `offline_at` up to date with what it follows from."""
        self.offline_at = self.heard + offline_after(self.lost_after, self.idle_interval)
        if self.expected is not None:
            prompt = max(self.heard, self.expected) + offline_after(self.lost_after)
            self.offline_at = min(self.offline_at, prompt)


class Liveness:
    """Heartbeats of each daemon, by uid."""

    def __init__(self) -> None:
        self._contacts: dict[str, _Contact] = {}

    def observe_heartbeat(self, uid: str, lost_after: float, now: Instant, *, idle_interval: float = 0) -> None:
        """Record that a heartbeat changed, or that the daemon was observed for the first time.

        `idle_interval` is the time until its next heartbeat, if it announced one because it runs nothing.
        """
        if (known := self._contacts.get(uid)) is not None and known.dead:
            return  # last words that come late
        self._contacts[uid] = _Contact(now.monotonic, lost_after, now.monotonic, idle_interval=idle_interval)

    def note_jobs(self, uid: str, now: Instant, *, has_jobs: bool) -> bool:
        """Record whether jobs are assigned to the daemon: then it has to report soon; return whether it has more time now."""
        contact = self._contacts[uid]
        if has_jobs == (contact.expected is not None) or (contact.suspect and not has_jobs):
            return False
        contact.expected = now.monotonic if has_jobs else None
        contact.renew()
        return not has_jobs

    def suspect(self, uid: str) -> None:
        """Record that the daemon did not acknowledge a job in time: until it reports, it is given no more time than that job was."""
        self._contacts[uid].suspect = True

    def begin_check(self, uid: str, now: Instant) -> None:
        """Record that a fresh read of the daemon is about to be made."""
        self._contacts[uid].asked = now.monotonic

    def observe_unchanged(self, uid: str, lost_after: float, *, fresh: bool) -> None:
        """Record that the daemon's heartbeat has not changed; `fresh` if that was read since the check began."""
        contact = self._contacts[uid]
        if contact.lost_after != lost_after:
            contact.lost_after = lost_after
            contact.renew()
        if fresh:
            contact.confirmed = max(contact.confirmed, contact.asked)

    def deleted(self, uid: str, now: Instant, *, heard_all: bool = False) -> None:
        """Record that the daemon's object is gone, or was before this process started; `heard_all` if no heartbeat was missed."""
        known = self._contacts.get(uid)
        if known is not None and known.deleted:
            return
        lost_after = known.lost_after if known is not None else DEFAULT_LOST_AFTER
        is_dead = known is not None and known.dead
        heard = known.heard if known is not None and heard_all else now.monotonic
        self._contacts[uid] = _Contact(heard, lost_after, now.monotonic, deleted=True, dead=is_dead)

    def died(self, uid: str) -> None:
        """Record that the daemon's process is certainly over: there is no need to wait for missed heartbeats."""
        if (contact := self._contacts.get(uid)) is not None:
            contact.dead = True

    def forget(self, uid: str) -> None:
        """Drop a daemon that nothing depends on any more."""
        self._contacts.pop(uid, None)

    def leave_out(self, since: float, now: Instant) -> None:
        """Leave an outage, from `since` on the monotonic clock until now, out of every silence: no heartbeat could come."""
        for contact in self._contacts.values():
            contact.heard += max(now.monotonic - max(contact.heard, since), 0.0)
            if contact.expected is not None:
                contact.expected += max(now.monotonic - max(contact.expected, since), 0.0)
            contact.renew()

    def uids(self) -> Iterator[str]:
        """Return all daemons that were observed or recorded as deleted, and not dropped."""
        return iter(self._contacts)

    def known(self, uid: str) -> bool:
        """Return whether the daemon was observed or recorded as deleted, and not dropped."""
        return uid in self._contacts

    def is_offline(self, uid: str) -> bool:
        """Return whether confirmed missed heartbeats last long enough that the daemon gets no new job."""
        contact = self._contacts.get(uid)
        if contact is None or contact.deleted or contact.dead:
            return True
        return contact.confirmed >= contact.offline_at

    def is_lost(self, uid: str, now: Instant) -> bool:
        """Return whether the process is over, or silent for so long that its own fence has stopped its runs."""
        contact = self._contacts.get(uid)
        if contact is None:
            return False
        if contact.dead:
            return True
        until = now.monotonic if contact.deleted else contact.confirmed
        return until - contact.heard >= contact.lost_after

    def needs_check(self, uid: str, now: Instant) -> bool:
        """Return whether a threshold has passed that no fresh read has confirmed yet."""
        contact = self._contacts.get(uid)
        if contact is None or contact.deleted or contact.dead:
            return False
        return now.monotonic >= _next_threshold(contact)

    def next_look(self, uid: str, now: Instant) -> float | None:
        """Return the time of the next threshold, on the monotonic clock; None if the daemon is lost for good."""
        contact = self._contacts.get(uid)
        if contact is None or self.is_lost(uid, now):
            return None
        return contact.heard + contact.lost_after if contact.deleted else _next_threshold(contact)


def _next_threshold(contact: _Contact) -> float:
    if contact.confirmed < contact.offline_at:
        return contact.offline_at
    if contact.confirmed - contact.heard < contact.lost_after:
        return contact.heard + contact.lost_after
    return float("inf")

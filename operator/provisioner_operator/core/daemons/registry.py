"""The daemons that are known: which are online, lost, replaced or passed over, by their objects, heartbeats and Pods.

Part of `mirror`, which tells it what was observed and draws the consequences for jobs. A daemon whose object is gone is
judged on, since its process may live until its own fence, until the mirror has it forgotten.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from provisioner_operator.api.v1alpha1.enums import DaemonState
from provisioner_operator.core.daemons.decisions import CheckDaemon, MarkOffline
from provisioner_operator.core.daemons.incarnations import Instances
from provisioner_operator.core.daemons.liveness import Silence
from provisioner_operator.core.daemons.pods import DaemonPods
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.model.records import Daemon

BACK_OFF_SECONDS = 60.0
"""A daemon that did not acknowledge an assignment gets no new one for this long."""


@dataclass(slots=True)
class _Entry:
    daemon: Daemon
    instances: Instances
    backs_off_until: float = float("-inf")


@dataclass(frozen=True, slots=True)
class DaemonNews:
    """What there was to learn from seeing a daemon."""

    previous: Daemon | None
    reported: bool
    """Its heartbeat moved on, or another process sends it."""
    doubts_settled: bool
    """A fresh read told which of its processes are gone."""
    eligibility_changed: bool
    """What it offers, or whether it may get jobs, is not as before."""


class KnownDaemons:
    """Daemons, by uid."""

    def __init__(self, pods: DaemonPods) -> None:
        """`pods` are those that are daemons, as the mirror observes them."""
        self._pods = pods
        self._entries: dict[str, _Entry] = {}
        self._silence = Silence()

    # --- what was observed ---

    def observe(self, daemon: Daemon, now: Instant, *, fresh: bool) -> DaemonNews | None:
        """Take in a daemon; `fresh` if it was read just now. None if a later version of it is known."""
        entry = self._entries.get(daemon.uid)
        known = entry.daemon if entry is not None else None
        if known is not None and daemon.resource_version < known.resource_version:
            return None
        was_online = known is not None and self.is_online(known)
        reported = known is None or (known.heartbeat, known.instance) != (daemon.heartbeat, daemon.instance)
        if reported:
            self._silence.heard(daemon.uid, daemon.lost_after, now)
        else:
            self._silence.unchanged(daemon.uid, daemon.lost_after, fresh=fresh)
        self._pods.daemon_observed(daemon)
        self.pod_changed(daemon.uid)
        doubts_settled = False
        if entry is None:
            self._entries[daemon.uid] = _Entry(daemon, Instances(daemon.instance))
        else:
            entry.daemon = daemon
            doubts_settled = entry.instances.observe(daemon.instance, fresh=fresh)
        eligibility_changed = (
            known is None or _eligibility(known) != _eligibility(daemon) or was_online != self.is_online(daemon)
        )
        return DaemonNews(known, reported, doubts_settled, eligibility_changed)

    def deleted(self, uid: str, now: Instant) -> Daemon | None:
        """The daemon's object is gone, or was before this process began; what it was, if that is known."""
        self._silence.deleted(uid, now)
        entry = self._entries.pop(uid, None)
        return entry.daemon if entry is not None else None

    def pod_changed(self, uid: str) -> None:
        """Something became known of the daemon's Pod."""
        if self._pods.ending_of(uid) is not None:
            self._silence.died(uid)

    def contact_regained(self, now: Instant) -> None:
        """Silence until now says nothing."""
        self._silence.everyone_anew(now)

    def back_off(self, uid: str, now: Instant) -> bool:
        """Pass over the daemon for a while if it has no excuse for not having answered; whether it is passed over."""
        entry = self._entries.get(uid)
        if entry is None or not self.works(entry.daemon):
            return False
        entry.backs_off_until = now.monotonic + BACK_OFF_SECONDS
        return True

    def forget(self, uid: str) -> None:
        """Nothing depends any more on the daemon, whose object is gone."""
        self._silence.forget(uid)
        self._pods.daemon_forgotten(uid)

    # --- what is known ---

    def __iter__(self) -> Iterator[Daemon]:
        """All whose objects are there."""
        return (entry.daemon for entry in self._entries.values())

    def __contains__(self, uid: str) -> bool:
        """Whether the daemon's object is there."""
        return uid in self._entries

    def __getitem__(self, uid: str) -> Daemon:
        """The daemon as last observed; KeyError if its object is not there."""
        return self._entries[uid].daemon

    def get(self, uid: str) -> Daemon | None:
        """The daemon as last observed; None if its object is not there."""
        entry = self._entries.get(uid)
        return entry.daemon if entry is not None else None

    def uids(self) -> frozenset[str]:
        """Of all whose objects are there."""
        return frozenset(self._entries)

    def judged(self) -> Iterator[str]:
        """The uids of all whose silence means something, also of those whose objects are gone."""
        return self._silence.uids()

    def is_judged(self, uid: str) -> bool:
        """Whether the daemon was ever seen or noted as deleted, and is not forgotten."""
        return self._silence.known(uid)

    def is_online(self, daemon: Daemon) -> bool:
        """Whether it reports, and its Pod does not speak against it."""
        reports = daemon.state is not DaemonState.OFFLINE and not self._silence.is_offline(daemon.uid)
        return reports and self._pods.admits_work(daemon)

    def works(self, daemon: Daemon) -> bool:
        """Whether it is online and means to go on."""
        return self.is_online(daemon) and daemon.state is not DaemonState.DRAINING

    def takes_jobs(self, daemon: Daemon, now: Instant) -> bool:
        """Whether it may be given jobs, as far as it has room."""
        return self.works(daemon) and not daemon.cordoned and now.monotonic >= self._entries[daemon.uid].backs_off_until

    def is_lost(self, uid: str, now: Instant) -> bool:
        """Whether the daemon's process is certainly over, or its own fence has stopped its runs."""
        return self._silence.is_lost(uid, now)

    def is_replaced(self, uid: str, instance: str) -> bool:
        """Whether that process of the daemon is certainly gone, since another one reports."""
        entry = self._entries.get(uid)
        return entry is not None and entry.instances.is_former(instance)

    def doubts(self, uid: str, instance: str) -> bool:
        """Note that a job names that process; True if the daemon has to be read afresh to know whether it is gone."""
        entry = self._entries.get(uid)
        return entry is not None and entry.instances.doubt(instance)

    def next_look(self, uid: str, now: Instant) -> float | None:
        """When to look at the daemon again if nothing is heard, on the monotonic clock; None if never."""
        looks = [self._silence.next_look(uid, now)]
        entry = self._entries.get(uid)
        if entry is not None and entry.backs_off_until > now.monotonic:
            looks.append(entry.backs_off_until)
        next_look = min((look for look in looks if look is not None), default=float("inf"))
        return next_look if next_look < float("inf") else None

    def decide(self, uid: str, now: Instant) -> CheckDaemon | MarkOffline | None:
        """What has to be done about the daemon, whose object is there."""
        entry = self._entries[uid]
        if entry.instances.ask() or self._silence.wants_check(uid, now):
            self._silence.asks(uid, now)
            return CheckDaemon(entry.daemon)
        if entry.daemon.state is not DaemonState.OFFLINE and self._silence.is_offline(uid):
            ending = self._pods.ending_of(uid)
            silent = "No heartbeat arrives: the daemon is down or cannot reach the API server."
            return MarkOffline(entry.daemon, silent if ending is None else f"Its Pod ended: {ending}.")
        return None


def _eligibility(daemon: Daemon) -> tuple[object, ...]:
    """What of a daemon other jobs' explanations and its own jobs depend on; not what it happens to run."""
    offline = daemon.state in (DaemonState.OFFLINE, DaemonState.DRAINING)
    return (daemon.supply, daemon.cordoned, daemon.capacity, offline, daemon.instance)

"""Keep the known daemons: which are online, lost or replaced, by their objects, heartbeats and Pods.

Part of the job reconciler, which reports observations and draws the consequences for jobs. A finalizer keeps the object of a
deleted daemon as long as its process may run anything. One whose object is gone nevertheless is kept here, until its own fence
must have stopped it and the reconciler drops it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from provisioner_operator.api.v1alpha1.enums import DaemonState
from provisioner_operator.api.v1alpha1.names import RUNS_FINALIZER
from provisioner_operator.core.daemons.decisions import (
    CheckDaemon,
    DaemonDecision,
    HoldDaemon,
    MarkOffline,
    ReleaseDaemon,
)
from provisioner_operator.core.daemons.ending import has_ended, release_of_unreadable
from provisioner_operator.core.daemons.known_daemon import KnownDaemon
from provisioner_operator.core.daemons.liveness import Liveness
from provisioner_operator.core.daemons.pods import DaemonPods
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.model.records import Daemon, UnreadableObject

if TYPE_CHECKING:
    from provisioner_operator.core.model.matching import Supply

BACK_OFF_SECONDS = 60.0
"""Time for which a daemon that did not acknowledge an assignment gets no new one."""


@dataclass(frozen=True, slots=True)
class DaemonNews:
    """Changes that the observation of a daemon revealed."""

    previous: Daemon | None
    reported: bool
    """Whether its heartbeat changed, or another process sends it."""
    doubts_settled: bool
    """Whether a fresh read showed which of its processes are gone."""
    eligibility_changed: bool
    """Whether its supply, or whether it may get jobs, has changed."""


class KnownDaemons:
    """Daemons by uid."""

    def __init__(self, pods: DaemonPods, tell_changed: Callable[[str], None]) -> None:
        """Share `pods` with the reconciler that observes them; `tell_changed` gets the uid of each daemon that may have changed."""
        self._pods = pods
        self._tell_changed = tell_changed
        self._entries: dict[str, KnownDaemon] = {}
        self._in_namespace: dict[str, dict[str, None]] = {}
        self._unreadable: dict[str, UnreadableObject] = {}
        self._healthy: dict[Supply, set[str]] = {}
        self._liveness = Liveness()

    # --- what was observed ---

    def observe(self, daemon: Daemon, now: Instant, *, fresh: bool) -> DaemonNews | None:
        """Observe a daemon; `fresh` if it was read just now. Return None if a later version of it is known."""
        entry = self._entries.get(daemon.uid)
        known = entry.daemon if entry is not None else None
        unreadable = self._unreadable.get(daemon.uid)
        versions = [each.resource_version for each in (known, unreadable) if each is not None]
        if daemon.resource_version < max(versions, default=0):
            return None
        was_online = known is not None and self.is_online(known)
        reported = known is None or (known.heartbeat, known.instance) != (daemon.heartbeat, daemon.instance)
        if reported:
            self._liveness.observe_heartbeat(daemon.uid, daemon.lost_after, now, idle_interval=daemon.idle_interval)
        else:
            self._liveness.observe_unchanged(daemon.uid, daemon.lost_after, fresh=fresh)
        self._pods.daemon_observed(daemon)
        self._note_health(known, daemon)
        self.pod_changed(daemon.uid)
        was_unreadable = self._unreadable.pop(daemon.uid, None) is not None
        doubts_settled = False
        if entry is None:
            self._entries[daemon.uid] = KnownDaemon.new(daemon, now)
            self._in_namespace.setdefault(daemon.namespace, {})[daemon.uid] = None
        else:
            doubts_settled = entry.observe(daemon, now, reported=reported, fresh=fresh)
        self._tell_changed(daemon.uid)
        eligibility_changed = (
            known is None
            or was_unreadable
            or _eligibility(known) != _eligibility(daemon)
            or was_online != self.is_online(daemon)
        )
        return DaemonNews(known, reported, doubts_settled, eligibility_changed)

    def observe_unreadable(self, daemon: UnreadableObject) -> bool:
        """Record that the daemon exists and cannot be parsed: nothing is concluded about it until it can be.

        Return False if a later version of it is known.
        """
        entry = self._entries.get(daemon.uid)
        if entry is not None and daemon.resource_version <= entry.daemon.resource_version:
            return False
        self._unreadable[daemon.uid] = daemon
        self._pods.owner_observed(daemon.uid, daemon.pod_uid)
        self._tell_changed(daemon.uid)
        return True

    def deleted(self, uid: str, now: Instant, *, watched: bool = False) -> Daemon | None:
        """Remove a daemon whose object is gone; `watched` if all its versions were observed. Return the last, if there is one."""
        self._liveness.deleted(uid, now, heard_all=watched and not self.is_unreadable(uid))
        self._unreadable.pop(uid, None)
        entry = self._entries.pop(uid, None)
        if entry is None:
            return None
        self._note_health(entry.daemon, None)
        peers = self._in_namespace[entry.daemon.namespace]
        peers.pop(uid, None)
        if not peers:
            del self._in_namespace[entry.daemon.namespace]
        self._tell_changed(uid)
        return entry.daemon

    def pod_changed(self, uid: str) -> None:
        """Take note of a change of the daemon's Pod."""
        if self._pods.ending_of(uid) is not None:
            self._liveness.died(uid)
        self._tell_changed(uid)

    def contact_regained(self, since: float, now: Instant) -> None:
        """Disregard heartbeats missed from `since`, on the monotonic clock, until now."""
        self._liveness.leave_out(since, now)
        for uid in self._entries:
            self._tell_changed(uid)

    def back_off(self, uid: str, now: Instant) -> bool:
        """Assign nothing to the daemon for a while if it could have acknowledged; return whether it could."""
        entry = self._entries.get(uid)
        if entry is None or not self.works(entry.daemon):
            return False
        entry.backs_off_until = now.monotonic + BACK_OFF_SECONDS
        self._liveness.suspect(uid)
        return True

    def forget(self, uid: str) -> None:
        """Drop a daemon whose object is gone and that nothing depends on any more."""
        self._liveness.forget(uid)
        self._pods.daemon_forgotten(uid)

    # --- what is known ---

    def __iter__(self) -> Iterator[Daemon]:
        """Iterate over all daemons whose objects exist."""
        return (entry.daemon for entry in self._entries.values())

    def in_namespace(self, namespace: str) -> Iterator[Daemon]:
        """Iterate over the namespace's daemons whose objects exist."""
        return (self._entries[uid].daemon for uid in self._in_namespace.get(namespace, ()))

    def __contains__(self, uid: str) -> bool:
        """Return whether the daemon's object exists."""
        return uid in self._entries

    def __getitem__(self, uid: str) -> Daemon:
        """Return the daemon as last observed; KeyError if its object does not exist."""
        return self._entries[uid].daemon

    def get(self, uid: str) -> Daemon | None:
        """Return the daemon as last observed; None if its object does not exist."""
        entry = self._entries.get(uid)
        return entry.daemon if entry is not None else None

    def is_unreadable(self, uid: str) -> bool:
        """Return whether the daemon exists in a state that cannot be parsed."""
        return uid in self._unreadable

    def unreadable(self) -> Iterator[UnreadableObject]:
        """Iterate over all daemons in a state that cannot be parsed."""
        return iter(self._unreadable.values())

    def uids(self) -> frozenset[str]:
        """Return the uids of all daemons whose objects exist."""
        return frozenset({*self._entries, *self._unreadable})

    def judged(self) -> Iterator[str]:
        """Return the uids of all daemons whose heartbeats matter, including those whose objects are gone."""
        return self._liveness.uids()

    def is_judged(self, uid: str) -> bool:
        """Return whether the daemon was observed or recorded as deleted, and not dropped."""
        return self._liveness.known(uid)

    def is_online(self, daemon: Daemon) -> bool:
        """Return whether the daemon reports and its Pod, if it has one, can run a job."""
        reports = daemon.state is not DaemonState.OFFLINE and not self._liveness.is_offline(daemon.uid)
        return reports and self._pods.admits_work(daemon)

    def works(self, daemon: Daemon) -> bool:
        """Return whether the daemon is online and neither draining, nor being deleted, nor unreadable."""
        is_leaving = daemon.state is DaemonState.DRAINING or daemon.deleting
        return self.is_online(daemon) and not is_leaving and not self.is_unreadable(daemon.uid)

    def may_get_jobs(self, daemon: Daemon) -> bool:
        """Return whether the daemon works, and its deletion could not hide its runs."""
        return self.works(daemon) and RUNS_FINALIZER in daemon.finalizers

    def takes_jobs(self, daemon: Daemon, now: Instant) -> bool:
        """Return whether the daemon may be assigned jobs, as far as it has free slots."""
        return self._is_available(daemon, now) and (daemon.is_healthy or not self._has_healthy_peer(daemon, now))

    def is_lost(self, uid: str, now: Instant) -> bool:
        """Return whether the daemon's process is certainly over, or its own fence has stopped its runs."""
        return self._liveness.is_lost(uid, now)

    def begin_term(self, now: Instant) -> None:
        """Believe again for a while that the daemons run what they report, even of unknown jobs, if that is recent."""
        for entry in self._entries.values():
            entry.begin_term(now)

    def are_claims_trusted(self, uid: str, now: Instant) -> bool:
        """Return whether the daemon may still be stopping runs of jobs that were deleted before they could be observed."""
        return now.monotonic < self._entries[uid].trusted_until

    def may_hide_runs(self, uid: str, now: Instant) -> bool:
        """Return whether the daemon may have runs that no heartbeat has shown to this process yet."""
        if self.is_lost(uid, now):
            return False
        entry = self._entries.get(uid)
        return entry is None or not (entry.has_shown_runs or has_ended(entry.daemon, now))

    def is_replaced(self, uid: str, instance: str) -> bool:
        """Return whether that process of the daemon is certainly gone because another one reports."""
        return (entry := self._entries.get(uid)) is not None and entry.instances.is_former(instance)

    def doubts(self, uid: str, instance: str) -> bool:
        """Note that a job names that process; return whether only a fresh read can show that it is gone."""
        return (entry := self._entries.get(uid)) is not None and entry.instances.doubt(instance)

    def next_look(self, uid: str, now: Instant) -> float | None:
        """Return the time of the next visit if no heartbeat comes, on the monotonic clock; None if never."""
        look, entry = self._liveness.next_look(uid, now), self._entries.get(uid)
        earliest = min(inf if look is None else look, inf if entry is None else entry.next_moment(now))
        return earliest if earliest < inf else None

    def release_of_unreadable(self, uid: str, now: Instant) -> tuple[ReleaseDaemon, float] | None:
        """Return the release of a deleted daemon that cannot be parsed, with the seconds until it is due."""
        return release_of_unreadable(self._unreadable[uid], now, has_ended=self._pods.ending_of(uid) is not None)

    def note_jobs(self, uid: str, now: Instant, *, has_jobs: bool) -> None:
        """Take note of whether jobs are assigned to the daemon."""
        if self._liveness.note_jobs(uid, now, has_jobs=has_jobs):
            self._tell_changed(uid)
        if (entry := self._entries.get(uid)) is not None:
            entry.note_jobs(now, has_jobs=has_jobs)

    def decide(self, uid: str, now: Instant, *, is_clear: bool, is_awaited: bool) -> DaemonDecision | None:
        """Return the decision that is due for a daemon whose object exists.

        `is_clear` tells whether no run of it is known, `is_awaited` whether jobs wait until it has shown what it runs.
        """
        entry = self._entries[uid]
        has_to_show = is_awaited and entry.awaits_read
        if entry.instances.ask() or self._liveness.needs_check(uid, now) or has_to_show:
            self._liveness.begin_check(uid, now)
            entry.asked_at = now.monotonic
            return CheckDaemon(entry.daemon)
        is_kept = RUNS_FINALIZER in entry.daemon.finalizers
        # Whatever it lists then was invented, or it fails to stop: neither may keep its object for ever.
        is_over = is_clear or now.monotonic >= entry.stopped_at
        if is_kept and entry.daemon.deleting and is_over and not self.may_hide_runs(uid, now):
            return ReleaseDaemon(entry.daemon)
        if entry.daemon.state is not DaemonState.OFFLINE and self._liveness.is_offline(uid):
            ending = self._pods.ending_of(uid)
            missing = "Heartbeats are missing: the daemon is down or cannot reach the API server."
            return MarkOffline(entry.daemon, missing if ending is None else f"Its Pod ended: {ending}.")
        # Last, since it may be refused; and only for one that may get jobs: those that died before an upgrade cost no write.
        if not is_kept and not entry.daemon.deleting and self.is_online(entry.daemon):
            return HoldDaemon(entry.daemon)
        return None

    def _is_available(self, daemon: Daemon, now: Instant) -> bool:
        backs_off = now.monotonic < self._entries[daemon.uid].backs_off_until
        return self.may_get_jobs(daemon) and not daemon.cordoned and not backs_off

    def _has_healthy_peer(self, daemon: Daemon, now: Instant) -> bool:
        """Return whether another daemon takes the same jobs: where all are unhealthy, the jobs are probably to blame."""
        return any(self._is_available(self[uid], now) for uid in self._healthy.get(daemon.supply, ()))

    def _note_health(self, previous: Daemon | None, daemon: Daemon | None) -> None:
        if previous is not None and (peers := self._healthy.get(previous.supply)) is not None:
            peers.discard(previous.uid)
            if not peers:
                del self._healthy[previous.supply]
        if daemon is not None and daemon.is_healthy:
            self._healthy.setdefault(daemon.supply, set()).add(daemon.uid)


def _eligibility(daemon: Daemon) -> tuple[object, ...]:
    """Return the properties of a daemon that explanations and its own jobs depend on, without its runs."""
    offline = daemon.state in (DaemonState.OFFLINE, DaemonState.DRAINING)
    return (
        daemon.supply,
        daemon.cordoned,
        daemon.capacity,
        offline,
        daemon.instance,
        daemon.deleting,
        daemon.finalizers,
        daemon.is_healthy,
    )

"""One daemon of the registry: its object, its processes and its reports, and the times that follow from them."""

from dataclasses import dataclass
from math import inf

from provisioner_operator.core.daemons.ending import has_ended
from provisioner_operator.core.daemons.incarnations import Instances
from provisioner_operator.core.jobs.timeouts import heartbeat_interval
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.model.records import Daemon

NOTICE_SECONDS = 300.0
"""Time in which a daemon with contact notices that a job is gone: a watch lasts no longer."""
REVEALING_REPORTS = 2
"""Heartbeats that show all runs of a daemon: the first may have been sent before a run began."""
RECENT_INTERVALS = 1.5
"""Intervals of its heartbeats after which the last one of a daemon is no longer its present state."""


@dataclass(slots=True)
class KnownDaemon:
    """A daemon as last observed, its processes, and how far its reports can be believed. Times are monotonic."""

    daemon: Daemon
    instances: Instances
    reported_at: float
    """Time of its last heartbeat, or of its first observation; unlike its silence, it includes outages."""
    trusted_since: float
    """Time from which it has had to stop runs of jobs that were unknown then."""
    reports: int = 0
    """Number of its heartbeats since it was first observed, or observed to be deleted, or missing when a term began."""
    outdated_until: float = float("-inf")
    """Time until which its object may be that of a restored backup, and shows nothing of its runs before it reports."""
    doubted_at: float = float("-inf")
    """Time at which its runs were doubted last."""
    asked_at: float = float("-inf")
    """Time at which the last read of it was begun."""
    backs_off_until: float = float("-inf")
    drained_since: float | None = None
    """Time from which it has been deleted and without a job: it has to stop what it still runs."""

    @property
    def has_shown_runs(self) -> bool:
        """Whether its heartbeats, or a read, have shown all that it ran when they were last doubted."""
        return self.reports >= REVEALING_REPORTS

    @property
    def readable_at(self) -> float:
        """Time from which a read that finds it at rest shows as much as two heartbeats."""
        return max(self.doubted_at, self.outdated_until)

    @property
    def awaits_read(self) -> bool:
        """Whether a read may show that it runs nothing, before its next heartbeats do."""
        return not self.has_shown_runs and not self.daemon.deleting and self.daemon.is_at_rest

    @classmethod
    def new(cls, daemon: Daemon, now: Instant) -> "KnownDaemon":
        """Return a daemon that is observed for the first time."""
        entry = cls(daemon, Instances(daemon.instance), now.monotonic, now.monotonic)
        entry._doubt_runs(now)
        return entry

    def observe(self, daemon: Daemon, now: Instant, *, reported: bool, fresh: bool) -> bool:
        """Take a later version of the daemon; return whether a fresh read settled doubts about its processes."""
        is_deleted_now = daemon.deleting and not self.daemon.deleting
        self.daemon = daemon
        if reported:
            self.reports += 1
            self.reported_at = now.monotonic
            self.outdated_until = float("-inf")
        if is_deleted_now:
            self._doubt_runs(now)
        if fresh:
            self._observe_read()
        return self.instances.observe(daemon.instance, fresh=fresh)

    def begin_term(self, now: Instant, restored: float) -> None:
        """Believe again for a while that it runs what it reports, if that is recent; etcd was `restored` at that time."""
        self.trusted_since = now.monotonic
        # Cut off since then, it has stopped its runs as late as this.
        self.outdated_until = restored + self.daemon.lost_after
        silence = now.monotonic - self.reported_at
        # One that has missed a heartbeat may have begun a run since, whose job came and went unnoticed.
        if silence > RECENT_INTERVALS * heartbeat_interval(self.daemon.lost_after):
            self._doubt_runs(now)

    def may_hide_runs(self, now: Instant) -> bool:
        """Return whether it may have runs that no heartbeat has shown yet; a status of before a restore shows no end of them."""
        is_over = has_ended(self.daemon, now) and now.monotonic >= self.outdated_until
        return not (self.has_shown_runs or is_over)

    def note_jobs(self, now: Instant, *, has_jobs: bool) -> None:
        """Take note of whether jobs are assigned to it."""
        is_drained = self.daemon.deleting and not has_jobs
        since = now.monotonic if self.drained_since is None else self.drained_since
        self.drained_since = since if is_drained else None

    def moments(self) -> tuple[float, ...]:
        """Return the times at which something about it may have to be decided without any news."""
        return (self.backs_off_until, self.trusted_until, self.stopped_at, self.outdated_until)

    def next_moment(self, now: Instant) -> float:
        """Return the next of these times; infinity if there is none."""
        return min((each for each in self.moments() if now.monotonic < each), default=inf)

    def _doubt_runs(self, now: Instant) -> None:
        """Believe no more that its runs are known."""
        self.reports = 0
        self.doubted_at = now.monotonic

    def _observe_read(self) -> None:
        """Take note that a read has just shown its present state.

        A daemon at rest reports before it acknowledges a job that changes a workspace (`daemon/jobs/held_job.py`): when the read
        was begun, it ran none. It may run others, so this does not release a deleted one.
        """
        if self.awaits_read and self.asked_at >= self.readable_at:
            self.reports = REVEALING_REPORTS

    @property
    def trusted_until(self) -> float:
        """Time until which it may still be stopping runs that it held when it was first observed."""
        return self.trusted_since + self._stopping_seconds

    @property
    def stopped_at(self) -> float:
        """Time at which a deleted daemon without a job has had time to stop all runs; infinity for any other."""
        return float("inf") if self.drained_since is None else self.drained_since + self._stopping_seconds

    @property
    def _stopping_seconds(self) -> float:
        """Time in which it notices that a job is gone, and stops its run."""
        offer = self.daemon.offer  # its spec: what it reports could be any time
        return max(offer.lost_after, NOTICE_SECONDS) + offer.cancel_grace

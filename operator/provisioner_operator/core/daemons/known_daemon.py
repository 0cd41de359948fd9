"""One daemon of the registry: its object, its processes and its reports, and the times that follow from them."""

from dataclasses import dataclass

from provisioner_operator.core.daemons.incarnations import Instances
from provisioner_operator.core.model.records import Daemon

NOTICE_SECONDS = 300.0
"""Time in which a daemon with contact notices that a job is gone: a watch lasts no longer."""


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
    backs_off_until: float = float("-inf")
    drained_since: float | None = None
    """Time from which it has been deleted and without a job: it has to stop what it still runs."""

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

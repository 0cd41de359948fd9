"""Count the heartbeats of a daemon that omit a job which it started: after some, the job has ended and the watch missed that.

Part of the job cache; the job reconciler then has the job read again.
"""

from collections.abc import Iterable

from provisioner_operator.core.jobs.lifecycle import STARTED
from provisioner_operator.core.model.records import Daemon, Job
from provisioner_operator.core.scheduling.occupancy import UNLISTED_REPORTS


class UnlistedRuns:
    """Number of consecutive heartbeats that did not list each started job."""

    def __init__(self) -> None:
        self._omitted: dict[str, int] = {}

    def report(self, daemon: Daemon, jobs: Iterable[Job]) -> list[str]:
        """Record a heartbeat, given the daemon's unfinished jobs; return the uids of those that it omits."""
        listed = {run.job_uid for run in daemon.runs}
        omitted: list[str] = []
        for job in jobs:
            if job.phase in STARTED and job.uid not in listed:
                self._omitted[job.uid] = self._omitted.get(job.uid, 0) + 1
                omitted.append(job.uid)
            else:
                self.forget(job.uid)
        return omitted

    def must_be_read(self, uid: str) -> bool:
        """Return whether the job has to be read again, and count anew if so."""
        if self._omitted.get(uid, 0) < UNLISTED_REPORTS:
            return False
        self.forget(uid)
        return True

    def forget(self, uid: str) -> None:
        """Drop a job that is over."""
        self._omitted.pop(uid, None)

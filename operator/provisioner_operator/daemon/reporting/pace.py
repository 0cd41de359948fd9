"""Decide how often a daemon reports: six times less often while it runs nothing, for then there is nothing to fence.

A report announces how long the next one may take, and the controller judges the daemon's silence by that. Definitions that
are older than the daemon drop the announcement, and so may the controller be: then the daemon keeps its usual interval. Pure;
used by `heartbeat`.
"""

from provisioner_operator.api.v1alpha1.enums import DaemonState
from provisioner_operator.core.jobs.timeouts import heartbeat_interval, idle_heartbeat_interval
from provisioner_operator.daemon.reporting.report import Report

USUAL_REPORTS = 2
"""Reports at the usual interval once nothing runs any more: the controller trusts two that omit a run which it never saw listed."""


class Pace:
    """Interval of the reports of one process."""

    def __init__(self) -> None:
        self._idle_reports = 0
        """Number of the last reports, one after the other, that listed nothing and were accepted."""
        self._is_idle = False
        """Whether the report that is being sent, or was sent last, lists nothing."""
        self._agreed = 0
        """Seconds that the last accepted report announced, and the API server kept."""
        self.may_seem_at_rest = False
        """Whether the API server may show that the daemon runs nothing and reports less often."""

    def interval(self, lost_after: float) -> float:
        """Return the seconds until the next report."""
        return max(float(self._agreed), heartbeat_interval(lost_after))

    def announce(self, report: Report, lost_after: float, *, is_deleted: bool) -> int:
        """Return the seconds until the report after this one, which is about to be sent, if they are more than usual; else 0.

        `is_deleted` if the daemon's object is being deleted: the controller waits for its reports then.
        """
        self._is_idle = report.state is DaemonState.IDLE and not report.jobs and not report.unsaved and not is_deleted
        if not self._is_idle or self._idle_reports < USUAL_REPORTS - 1:
            return 0
        # Before it is sent: a report whose answer is lost may have been accepted.
        self.may_seem_at_rest = True
        return idle_heartbeat_interval(lost_after)

    def accepted(self, kept: int, *, is_deleted: bool) -> None:
        """Take note that the report was accepted, and which announcement the API server kept of it."""
        self._idle_reports = self._idle_reports + 1 if self._is_idle else 0
        self._agreed = 0 if is_deleted else kept
        self.may_seem_at_rest = kept > 0

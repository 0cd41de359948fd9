"""Build the content of a heartbeat: the daemon's state, its runs, and how its jobs ended. Pure; sent by `heartbeat`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from provisioner_operator import __version__
from provisioner_operator.api.v1alpha1.daemon import LONGEST_JOBS, DaemonStatus, ProvisionerDaemon
from provisioner_operator.api.v1alpha1.enums import ConditionStatus, DaemonState, Phase
from provisioner_operator.core.model.json_patch import clip, timestamp
from provisioner_operator.core.model.matching import effective_tags, format_tags

LONGEST_TAGS = 2048
"""Characters; the limit of the field in the status."""


@dataclass(slots=True)
class Tally:
    """Counts of how the daemon's jobs ended, continued from its status."""

    completed: int = 0
    failed: int = 0
    canceled: int = 0
    consecutive_failures: int = 0

    @classmethod
    def of(cls, status: DaemonStatus) -> "Tally":
        """Continue the counts of an earlier process."""
        return cls(status.completed_jobs, status.failed_jobs, status.canceled_jobs, status.consecutive_failures)

    def count(self, phase: Phase) -> None:
        """Count a job that ended in this phase."""
        match phase:
            case Phase.COMPLETED:
                self.completed += 1
                self.consecutive_failures = 0
            case Phase.FAILED:
                self.failed += 1
                self.consecutive_failures += 1
            case Phase.CANCELED:
                self.canceled += 1
            case _:
                pass


@dataclass(frozen=True, slots=True)
class RunningJob:
    """A job as the heartbeat lists it."""

    name: str
    uid: str
    workspace: str | None
    started: float


@dataclass(frozen=True, slots=True)
class Report:
    """The daemon's state and its runs, as the agent sees them."""

    state: DaemonState
    jobs: Sequence[RunningJob]


def status_content(
    report: Report, tally: Tally, daemon: ProvisionerDaemon, *, instance: str, lost_after_seconds: int, now: float
) -> dict[str, Any]:
    """Return the fields of the daemon's status; `daemon` is the object as last read, `now` the wall clock."""
    jobs = []
    for job in report.jobs:
        entry = {"name": job.name, "uid": job.uid, "startedAt": timestamp(job.started)}
        jobs.append(entry if job.workspace is None else entry | {"workspace": job.workspace})
    return {
        "state": report.state,
        "instance": instance,
        "lastHeartbeatTime": timestamp(now),
        "version": __version__,
        "tags": format_tags(effective_tags(daemon.spec.tags))[:LONGEST_TAGS],
        "lostAfterSeconds": lost_after_seconds,
        "currentJobs": jobs,
        "jobs": clip(", ".join(job.name for job in report.jobs), LONGEST_JOBS),
        "completedJobs": tally.completed,
        "failedJobs": tally.failed,
        "canceledJobs": tally.canceled,
        "consecutiveFailures": tally.consecutive_failures,
        "conditions": [_ready(report.state, daemon.status, now)],
    }


def _ready(state: DaemonState, former: DaemonStatus, now: float) -> dict[str, Any]:
    if state is DaemonState.OFFLINE:
        status, reason, message = ConditionStatus.FALSE, "ShutDown", "The daemon was shut down."
    else:
        status, reason, message = ConditionStatus.TRUE, "HeartbeatReceived", "The daemon sends heartbeats."
    same = [each.last_transition_time for each in former.conditions if each.type == "Ready" and each.status is status]
    return {
        "type": "Ready",
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": timestamp(same[0].timestamp() if same else now),
    }

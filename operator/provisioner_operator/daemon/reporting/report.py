"""Build the content of a heartbeat: the daemon's state, its runs, and how its jobs ended. Pure; sent by `heartbeat`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from provisioner_operator import __version__
from provisioner_operator.api.v1alpha1.daemon import (
    LONGEST_JOBS,
    LONGEST_UNSAVED_MESSAGE,
    DaemonStatus,
    ProvisionerDaemon,
)
from provisioner_operator.api.v1alpha1.enums import ConditionStatus, DaemonCondition, DaemonState, Phase
from provisioner_operator.core.model.json_patch import clip, timestamp
from provisioner_operator.core.model.matching import effective_tags, format_tags

LONGEST_TAGS = 2048
"""Characters; the limit of the field in the status."""
AT_ONCE_SECONDS = 10.0
"""A run that fails in less has probably not begun its real work: the daemon may lack something that every run needs."""
UNHEALTHY_FAILURES = 3
"""Number of such runs in a row after which the daemon reports it."""
UNHEALTHY_SECONDS = 300.0
"""Time after the last of them in which it does; then it gets a job like any other, and its next run decides."""


@dataclass(slots=True)
class Tally:
    """Counts of how the daemon's jobs ended, continued from its status."""

    completed: int = 0
    failed: int = 0
    canceled: int = 0
    consecutive_failures: int = 0
    failures_at_once: int = 0
    """Number of runs in a row that failed as soon as they started, in this process."""
    failed_at_once_at: float = float("-inf")
    """Time of the last of them."""

    @classmethod
    def of(cls, status: DaemonStatus) -> "Tally":
        """Continue the counts of an earlier process."""
        return cls(status.completed_jobs, status.failed_jobs, status.canceled_jobs, status.consecutive_failures)

    def count(self, phase: Phase, *, started: float, now: float) -> None:
        """Count a job that ended in this phase; times are by the wall clock."""
        match phase:
            case Phase.COMPLETED:
                self.completed += 1
                self.consecutive_failures = self.failures_at_once = 0
            case Phase.FAILED:
                self.failed += 1
                self.consecutive_failures += 1
                self.failures_at_once = self.failures_at_once + 1 if now - started < AT_ONCE_SECONDS else 0
                self.failed_at_once_at = now
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
    """The workspace that it may change."""
    started: float


@dataclass(frozen=True, slots=True)
class ListedState:
    """A state that Terraform could not save, as the heartbeat lists it."""

    workspace: str
    job: str
    job_uid: str
    since: float
    message: str


@dataclass(frozen=True, slots=True)
class Report:
    """The daemon's state, its runs, and the states that only it has, as the agent sees them."""

    state: DaemonState
    jobs: Sequence[RunningJob]
    unsaved: Sequence[ListedState] = ()


def status_content(
    report: Report,
    tally: Tally,
    daemon: ProvisionerDaemon,
    *,
    instance: str,
    lost_after_seconds: int,
    idle_heartbeat_seconds: int,
    now: float,
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
        "idleHeartbeatSeconds": idle_heartbeat_seconds,
        "currentJobs": jobs,
        "jobs": clip(", ".join(job.name for job in report.jobs), LONGEST_JOBS),
        "unsavedStates": [_unsaved_state(each) for each in report.unsaved],
        "completedJobs": tally.completed,
        "failedJobs": tally.failed,
        "canceledJobs": tally.canceled,
        "consecutiveFailures": tally.consecutive_failures,
        "conditions": [_ready(report.state, daemon.status, now), *_unhealthy(tally, daemon.status, now)],
    }


def _unsaved_state(state: ListedState) -> dict[str, Any]:
    return {
        "workspace": state.workspace,
        "job": state.job,
        "jobUID": state.job_uid,
        "since": timestamp(state.since),
        "message": clip(state.message, LONGEST_UNSAVED_MESSAGE),
    }


def _unhealthy(tally: Tally, former: DaemonStatus, now: float) -> Iterator[dict[str, Any]]:
    if tally.failures_at_once < UNHEALTHY_FAILURES or now - tally.failed_at_once_at >= UNHEALTHY_SECONDS:
        return
    message = (
        f"The last {tally.failures_at_once} runs failed within {AT_ONCE_SECONDS:.0f} s of their start. Other daemons with the "
        f"same tags get jobs first until {timestamp(tally.failed_at_once_at + UNHEALTHY_SECONDS)}, or until a run succeeds. "
        "Look at the messages of its last jobs: if they differ from those on other daemons, repair this one."
    )
    yield _condition(DaemonCondition.HEALTHY, ConditionStatus.FALSE, "RunsFailAtOnce", message, former, now)


def _ready(state: DaemonState, former: DaemonStatus, now: float) -> dict[str, Any]:
    if state is DaemonState.OFFLINE:
        status, reason, message = ConditionStatus.FALSE, "ShutDown", "The daemon was shut down."
    else:
        status, reason, message = ConditionStatus.TRUE, "HeartbeatReceived", "The daemon sends heartbeats."
    return _condition(DaemonCondition.READY, status, reason, message, former, now)


def _condition(
    kind: DaemonCondition, status: ConditionStatus, reason: str, message: str, former: DaemonStatus, now: float
) -> dict[str, Any]:
    same = [each.last_transition_time for each in former.conditions if each.type == kind and each.status is status]
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": timestamp(same[0].timestamp() if same else now),
    }

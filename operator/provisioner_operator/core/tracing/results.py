"""Results of jobs in the words of OpenTelemetry's conventions for CI/CD, and the writer of each end."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from provisioner_operator.api.v1alpha1.enums import CancelReason, EndReason, JobCondition, Phase
from provisioner_operator.core.model.records import Job


class Result(StrEnum):
    """Values of `cicd.pipeline.result` and `cicd.pipeline.task.run.result`."""

    SUCCESS = "success"
    FAILURE = "failure"
    """The run itself failed."""
    ERROR = "error"
    """Something around the run failed: its daemon, its inputs, its state, or a permission."""
    TIMEOUT = "timeout"
    CANCELLATION = "cancellation"


RESULTS: Mapping[EndReason, Result] = MappingProxyType(
    {
        EndReason.COMPLETED: Result.SUCCESS,
        EndReason.CANCELED: Result.CANCELLATION,
        EndReason.DELETED: Result.CANCELLATION,
        EndReason.RUN_FAILED: Result.FAILURE,
        EndReason.PENDING_TIMEOUT: Result.TIMEOUT,
        EndReason.DEADLINE_EXCEEDED: Result.TIMEOUT,
        EndReason.STALLED: Result.TIMEOUT,
        EndReason.NOT_WORKSPACE_OWNER: Result.ERROR,
        EndReason.APPROVAL_REQUIRED: Result.ERROR,
        EndReason.PLAN_STALE: Result.ERROR,
        EndReason.PLAN_UNAVAILABLE: Result.ERROR,
        EndReason.DAEMON_LOST: Result.ERROR,
        EndReason.DAEMON_SHUTDOWN: Result.ERROR,
        EndReason.SOURCE_UNAVAILABLE: Result.ERROR,
        EndReason.VARIABLE_UNAVAILABLE: Result.ERROR,
        EndReason.STATE_LOCKED: Result.ERROR,
        EndReason.STATE_UNSAVED: Result.ERROR,
    }
)

_OF_CONTROLLER = frozenset(
    {
        EndReason.PENDING_TIMEOUT,
        EndReason.NOT_WORKSPACE_OWNER,
        EndReason.APPROVAL_REQUIRED,
        EndReason.DEADLINE_EXCEEDED,
        # Also written by a daemon that has no run of a job; both then tell the same.
        EndReason.DAEMON_LOST,
    }
)
_CANCELS_OF_CONTROLLER = frozenset(
    {CancelReason.NEVER_STARTED, CancelReason.DAEMON_GONE, CancelReason.DAEMON_UNRESPONSIVE}
)


def result_of(job: Job) -> Result:
    """Return the result of an ended job. Reasons of later versions count as errors."""
    if job.phase is Phase.COMPLETED:
        return Result.SUCCESS
    try:
        return RESULTS[EndReason(job.reason or "")]
    except ValueError:
        return Result.ERROR


def is_ended_by_controller(job: Job) -> bool:
    """Return whether the controller wrote the end of this ended job, rather than its daemon."""
    if job.reason == EndReason.CANCELED:
        requested = next((each for each in job.conditions if each.type == JobCondition.CANCEL_REQUESTED), None)
        return requested is not None and requested.reason in _CANCELS_OF_CONTROLLER
    return job.reason in _OF_CONTROLLER

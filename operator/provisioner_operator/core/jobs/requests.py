"""Build the patches by which users cancel, suspend, resume and prioritize a job. Pure.

Used by the command line and the web server. Each patch tests the uid, so that it never hits a later job of the same name.
"""

from dataclasses import dataclass

from provisioner_operator.api.v1alpha1.enums import CancelMode, Phase
from provisioner_operator.core.jobs.lifecycle import TERMINAL
from provisioner_operator.core.model.json_patch import Field, JsonPatch
from provisioner_operator.core.model.metadata import Metadata
from provisioner_operator.core.model.request_errors import Cause, NothingToChangeError, NotPossibleError


@dataclass(frozen=True, slots=True)
class JobState:
    """The progress of a job, and the requests to change it."""

    meta: Metadata
    phase: Phase
    message: str
    suspend: bool
    cancel: bool
    cancel_mode: str | None
    daemon: str | None
    """The daemon that the job is assigned to."""
    priority: int = 0


@dataclass(frozen=True, slots=True)
class CancelRequest:
    """A cancel as a user asks for it."""

    reason: str | None = None
    force: bool = False
    """Whether to kill the run at once."""
    expected: Phase | None = None
    """The only phase in which to cancel the job."""


def cancel_patch(job: JobState, request: CancelRequest) -> JsonPatch:
    """Return the request for cancellation, valid only for this very job, and in the expected phase if there is one.

    Raises NotPossibleError if the job cannot be canceled, NothingToChangeError if it already is or is going to be.
    """
    mode = CancelMode.FORCE if request.force else None
    if job.phase is Phase.CANCELED:
        raise NothingToChangeError(Cause.CANCELED, "It is Canceled already.")
    _require_unfinished(job)
    if job.cancel and (mode is None or job.cancel_mode == mode):
        raise NothingToChangeError(Cause.CANCEL_REQUESTED, f"Its cancel was requested before; it is {job.phase}.")
    if request.expected is not None and job.phase is not request.expected:
        before = "no longer pending" if request.expected is Phase.PENDING else f"not {request.expected}"
        raise NotPossibleError(Cause.UNEXPECTED_PHASE, f"It is {before}: it is {job.phase}. It was left unchanged.")
    tests: list[Field] = [("/metadata/uid", job.meta.uid)]
    if request.expected is not None:
        tests.append(("/status/phase", request.expected))
    sets: list[Field] = []
    if not job.cancel:
        sets.append(("/spec/cancel", True))
    if mode is not None:
        sets.append(("/spec/cancelMode", mode))
    if request.reason is not None and not job.cancel:
        sets.append(("/spec/cancelReason", request.reason))
    return JsonPatch(tests=tuple(tests), sets=tuple(sets))


def kill_patch(job: JobState, uid: str, daemon: str, reason: str) -> JsonPatch:
    """Return the forced cancel of a job, valid only while it is assigned to this daemon.

    Raises NothingToChangeError if it is not, or is another job of the same name.
    """
    if job.meta.uid != uid or job.phase in TERMINAL or job.daemon != daemon:
        raise NothingToChangeError(Cause.RUNS_ELSEWHERE, "It does not run there any more.")
    sets: list[Field] = [("/spec/cancel", True), ("/spec/cancelMode", CancelMode.FORCE)]
    if not job.cancel:
        # A reason that was given with an earlier cancel stays.
        sets.append(("/spec/cancelReason", reason))
    return JsonPatch(tests=(("/metadata/uid", uid), ("/status/assignment/daemon", daemon)), sets=tuple(sets))


def suspend_patch(job: JobState, *, suspended: bool) -> JsonPatch:
    """Return the change of `spec.suspend`, valid only while the job is pending.

    Raises NotPossibleError if the job has left the queue, NothingToChangeError if the value is already right.
    """
    _require_pending(job, "suspended or resumed")
    if job.suspend is suspended:
        state = "It is suspended already." if suspended else "It is not suspended."
        raise NothingToChangeError(Cause.AS_REQUESTED, state)
    return _change_of_pending(job, ("/spec/suspend", suspended))


def priority_patch(job: JobState, priority: int) -> JsonPatch:
    """Return the change of `spec.priority`, valid only while the job is pending.

    Raises NotPossibleError if the job has left the queue, NothingToChangeError if it has this priority.
    """
    _require_pending(job, "moved in the queue")
    if job.priority == priority:
        raise NothingToChangeError(Cause.AS_REQUESTED, f"It has priority {priority} already.")
    return _change_of_pending(job, ("/spec/priority", priority))


def _require_unfinished(job: JobState) -> None:
    if job.phase in TERMINAL:
        raise NotPossibleError(Cause.ENDED, f"It has ended: it is {job.phase}.")


def _require_pending(job: JobState, change: str) -> None:
    _require_unfinished(job)
    if job.phase is not Phase.PENDING:
        raise NotPossibleError(Cause.STARTED, f"It is {job.phase}: only a pending job can be {change}.")


def _change_of_pending(job: JobState, change: Field) -> JsonPatch:
    return JsonPatch(tests=(("/metadata/uid", job.meta.uid), ("/status/phase", Phase.PENDING)), sets=(change,))

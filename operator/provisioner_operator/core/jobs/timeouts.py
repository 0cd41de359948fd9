"""All clocks: when a job is overdue and what a daemon's silence means.

Jobs: pending from creation without suspended time, active from the start, retention from the end. Daemons: everything
follows from one setting, `lostAfterSeconds`, in the order that keeps two daemons off one job: no new work, the daemon
stops its own runs, and only then the controller gives them up.
"""

from provisioner_operator.core.model.records import Job

ACKNOWLEDGE_SECONDS = 30.0
"""An assignment that its daemon has not acknowledged after this long goes back to the queue."""
HEARTBEATS_PER_LOSS = 30
"""A daemon reports this often within `lostAfterSeconds`: each 10 s of 300 s."""
OFFLINE_FRACTION = 2 / 15
"""Silent for this part of `lostAfterSeconds`, a daemon gets nothing new: 40 s of 300 s."""
INTERRUPT_FRACTION = 0.8
"""Without contact for this part, a daemon interrupts its own runs."""
KILL_FRACTION = 0.95
"""Without contact for this part, it kills them: all are dead before 0.97."""


def pending_deadline(job: Job) -> float | None:
    """When a pending job is overdue, by the wall clock; None while it is suspended."""
    if job.suspended_at is not None or job.suspend:
        return None
    return job.created + job.suspended_seconds + job.pending_timeout


def active_deadline(job: Job) -> float | None:
    """When a started job is overdue, by the wall clock; None before its start.

    The start is the daemon's word, by the daemon's clock. It lies between the assignment, by the controller's clock, and
    the time that an acknowledgement may take: a clock that is wrong by more moves no deadline.
    """
    if job.started is None:
        return None
    started = job.started
    if job.assignment is not None:
        started = min(max(started, job.assignment.time), job.assignment.time + ACKNOWLEDGE_SECONDS)
    return started + job.active_deadline


def expiry(job: Job) -> float | None:
    """When an ended job is to be deleted, by the wall clock; None if it is kept."""
    return None if job.finished is None or job.ttl is None else job.finished + job.ttl


def stall_deadline(job: Job, last_output: float) -> float | None:
    """When a run that wrote its last output at `last_output` counts as stalled, on the same clock; None if never."""
    return None if job.stall_timeout is None else last_output + job.stall_timeout


def heartbeat_interval(lost_after: float) -> float:
    """How often a daemon reports, in seconds."""
    return lost_after / HEARTBEATS_PER_LOSS


def offline_after(lost_after: float) -> float:
    """The silence after which a daemon gets no new job, in seconds."""
    return lost_after * OFFLINE_FRACTION


def interrupt_after(lost_after: float) -> float:
    """The time without contact after which a daemon interrupts its runs, in seconds."""
    return lost_after * INTERRUPT_FRACTION


def kill_after(lost_after: float) -> float:
    """The time without contact after which a daemon kills its runs, in seconds."""
    return lost_after * KILL_FRACTION

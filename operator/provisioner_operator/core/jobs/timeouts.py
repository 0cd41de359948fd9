"""Define all timeouts: when a job is overdue, and what missed heartbeats of a daemon mean.

Jobs: pending from creation without suspended time, active from the start, retention from the end. Daemons: everything
follows from one setting, `lostAfterSeconds`, in the order that keeps two daemons off one job: no new work, then the
daemon stops its own runs, and only then the controller declares it lost.
"""

from functools import lru_cache

from provisioner_operator.core.model.records import Job

ACKNOWLEDGE_SECONDS = 30.0
"""Time after which an assignment that its daemon has not acknowledged returns to the queue."""
HEARTBEATS_PER_LOSS = 30
"""Heartbeats that a daemon sends within `lostAfterSeconds`: one each 10 s of 300 s."""
LONGEST_HEARTBEAT_INTERVAL = 30.0
"""Seconds between two heartbeats at most, however long `lostAfterSeconds` is: builds may wait for two of them."""
IDLE_FACTOR = 6
"""Number of usual intervals between two heartbeats of a daemon that runs nothing: 60 s of 300 s. It has no run to fence, and an
assignment shows soon whether it lives; but it must be found dead long before `lostAfterSeconds`, of which this is a fifth."""
OFFLINE_FRACTION = 2 / 15
"""Part of `lostAfterSeconds` without a heartbeat after which a daemon gets no new job: 40 s of 300 s. One that announced that its
next heartbeat comes later has so much more time."""
INTERRUPT_FRACTION = 0.8
"""Part of `lostAfterSeconds` without contact after which a daemon interrupts its own runs."""
KILL_FRACTION = 0.95
"""Part of `lostAfterSeconds` without contact after which it kills them: all are dead before 0.97."""
_KINDS_OF_DAEMONS = 1024
"""Settings of daemons whose times are computed once: a fleet has few."""


def pending_deadline(job: Job) -> float | None:
    """Return the wall-clock time at which a pending job is overdue; None while it is suspended."""
    if job.suspended_at is not None or job.suspend:
        return None
    return job.created + job.suspended_seconds + job.pending_timeout


def active_deadline(job: Job) -> float | None:
    """Return the wall-clock time at which a started job is overdue; None before its start.

    The daemon reports the start, by its own clock. The start lies between the assignment, by the controller's clock,
    and the time allowed for an acknowledgment, so a clock that is further off moves no deadline.
    """
    if job.started is None:
        return None
    started = job.started
    if job.assignment is not None:
        started = min(max(started, job.assignment.time), job.assignment.time + ACKNOWLEDGE_SECONDS)
    return started + job.active_deadline


def expiry(job: Job) -> float | None:
    """Return the wall-clock time at which an ended job is to be deleted; None if it is kept."""
    return None if job.finished is None or job.ttl is None else job.finished + job.ttl


def stall_deadline(job: Job, last_output: float) -> float | None:
    """Return the time at which a run with this last output counts as stalled, on the same clock; None if never."""
    return None if job.stall_timeout is None else last_output + job.stall_timeout


def heartbeat_interval(lost_after: float) -> float:
    """Return the seconds between two heartbeats."""
    return min(lost_after / HEARTBEATS_PER_LOSS, LONGEST_HEARTBEAT_INTERVAL)


def idle_heartbeat_interval(lost_after: float) -> int:
    """Return the seconds between two heartbeats of a daemon that runs nothing."""
    return int(IDLE_FACTOR * heartbeat_interval(lost_after))


@lru_cache(maxsize=_KINDS_OF_DAEMONS)
def offline_after(lost_after: float, idle_interval: float = 0) -> float:
    """Return the seconds without a heartbeat after which a daemon gets no new job.

    Args:
        lost_after: Its `lostAfterSeconds`.
        idle_interval: The interval that it announced because it runs nothing; 0 if it did not.
    """
    later = max(idle_interval - heartbeat_interval(lost_after), 0)
    return min(lost_after * OFFLINE_FRACTION + later, lost_after)


def interrupt_after(lost_after: float) -> float:
    """Return the seconds without contact after which a daemon interrupts its runs."""
    return lost_after * INTERRUPT_FRACTION


def kill_after(lost_after: float) -> float:
    """Return the seconds without contact after which a daemon kills its runs."""
    return lost_after * KILL_FRACTION

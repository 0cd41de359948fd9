"""Decide the next actions of a daemon, given its jobs as the API server has them and the runs it holds.

Level-triggered: the daemon runs exactly the jobs that the API server assigns to it, however it learned of them. Called
by `daemon.agent` on every change; knows neither processes nor requests.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from provisioner_operator.api.v1alpha1.enums import CancelMode, Phase
from provisioner_operator.core.jobs.lifecycle import STARTED
from provisioner_operator.core.jobs.ordering import queue_key
from provisioner_operator.core.model.records import Job


class Stopping(StrEnum):
    """Progress of stopping a held run."""

    NOT = "not"
    INTERRUPTED = "interrupted"
    KILLED = "killed"


@dataclass(frozen=True, slots=True)
class HeldRun:
    """A run that the daemon's process holds, from before its acknowledgment is sent until its end is written."""

    job_uid: str
    assignment_id: str
    stopping: Stopping = Stopping.NOT
    ended: bool = False
    """Whether the process is over and only its end remains to be written."""


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Write Running, and start the run only if that succeeds."""

    job: Job


@dataclass(frozen=True, slots=True)
class StopRun:
    """Stop the run, because its job is canceled or being deleted: interrupt it, or kill it at once if `force`."""

    job: Job
    force: bool


@dataclass(frozen=True, slots=True)
class Abandon:
    """Stop the run and write nothing: its job is over, deleted, or another daemon's."""

    job_uid: str


@dataclass(frozen=True, slots=True)
class Disown:
    """Write the end of a job that this process took and has no run of: the answer to its acknowledgment was lost."""

    job: Job


Duty = Acknowledge | StopRun | Abandon | Disown


def duties(
    jobs: Iterable[Job],
    held: Mapping[str, HeldRun],
    *,
    daemon_uid: str,
    instance: str,
    capacity: int,
    draining: bool,
) -> list[Duty]:
    """Return all actions that are due; `held` is keyed by job uid, an action in progress is not repeated."""
    mine = {job.uid: job for job in jobs if job.assignment is not None and job.assignment.daemon_uid == daemon_uid}
    found: list[Duty] = []
    for uid, run in held.items():
        job = mine.get(uid)
        if not _is_ours(job, run, instance):
            if run.stopping is Stopping.NOT and not run.ended:
                found.append(Abandon(uid))
        elif job is not None and (job.cancel or job.deleting) and job.phase in STARTED and not run.ended:
            force = job.cancel and job.cancel_mode is CancelMode.FORCE
            if run.stopping is Stopping.NOT or (force and run.stopping is Stopping.INTERRUPTED):
                found.append(StopRun(job, force))
    found.extend(Disown(job) for uid, job in mine.items() if uid not in held and _is_running_here(job, instance))
    free = 0 if draining else capacity - len(held)
    waiting = sorted((job for uid, job in mine.items() if uid not in held and _is_startable(job)), key=queue_key)
    found.extend(Acknowledge(job) for job in waiting[: max(free, 0)])
    return found


def _is_startable(job: Job) -> bool:
    return job.phase is Phase.PENDING and not job.cancel and not job.suspend and not job.deleting


def _is_ours(job: Job | None, run: HeldRun, instance: str) -> bool:
    if job is None or job.assignment is None or job.assignment.id != run.assignment_id:
        return False
    if job.phase is Phase.PENDING:
        return True  # acknowledged, but our view is older than that
    return _is_running_here(job, instance)


def _is_running_here(job: Job, instance: str) -> bool:
    return job.phase in STARTED and job.assignment is not None and job.assignment.instance == instance

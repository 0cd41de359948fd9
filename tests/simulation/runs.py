"""Run held by a simulated daemon, and the parameters of runs and daemons."""

from dataclasses import dataclass

from provisioner_operator.core.daemons.duties import HeldRun, Stopping
from provisioner_operator.core.jobs.outcome import Outcome
from provisioner_operator.core.model.records import Job


@dataclass(slots=True, eq=False)
class Run:
    """A run that the daemon holds, from before its acknowledgment is sent until its end is written."""

    job: Job
    """The job, as this daemon last observed it."""
    assignment_id: str
    capacity: int
    """The daemon's capacity when it acknowledged the job; lowering it later stops no run."""
    stopping: Stopping = Stopping.NOT
    alive: bool = False
    """Whether its process exists."""
    ended: bool = False
    outcome: Outcome | None = None
    abandoned: bool = False
    canceled: bool = False

    @property
    def uid(self) -> str:
        return self.job.uid

    def held(self) -> HeldRun:
        return HeldRun(self.uid, self.assignment_id, self.stopping, self.ended)


@dataclass(frozen=True, slots=True)
class Habits:
    """Parameters of a daemon and its runs."""

    beat_every: float
    """Seconds between heartbeats."""
    run_seconds: float
    """Average duration of a run in seconds."""
    deaf: float
    """The share of runs that ignore an interrupt."""
    clock_skew: float = 0.0
    modern: float = 1.0
    """The share of daemons that report less often while they run nothing; the others are of an older version."""

"""Tell how long runs like one take, and whether it has gone on for longer than nearly all of them. Pure."""

from dataclasses import dataclass

from provisioner_operator.core.estimates.run_history import RunHistory
from provisioner_operator.core.model.records import Job

OVERLONG = "Overlong"
"""Word for a run that has gone on for longer than 99 % of those like it."""


@dataclass(frozen=True, slots=True)
class RunEstimate:
    """Durations of the runs that are like one."""

    p50: float
    """Seconds that half of them did not exceed."""
    p90: float
    runs: int
    """Their number."""
    is_overlong: bool
    """Whether the run has gone on for longer than 99 % of them; never with fewer than 99."""


def estimate_run(job: Job, history: RunHistory, now: float) -> RunEstimate | None:
    """Return how long runs like that of the job take; None unless it runs, or with too few of them."""
    durations = None if job.started is None or job.finished is not None else history.like(job)
    if durations is None or job.started is None:
        return None
    is_overlong = durations.is_overlong(now - job.started)
    return RunEstimate(durations.quantile(0.5), durations.quantile(0.9), len(durations), is_overlong)

"""Facts of an ended job that only its metrics and its trace need, apart from its record: there may be very many unfinished jobs."""

from dataclasses import dataclass

from provisioner_operator.core.jobs.outcome import StageTiming


@dataclass(frozen=True, slots=True)
class EndedRun:
    """Template and stages of a job that ended."""

    template: str | None = None
    """Name of the template to which its source belongs."""
    stages: tuple[StageTiming, ...] = ()
    traceparent: str | None = None
    """Span that asked for the job, as its annotation says."""

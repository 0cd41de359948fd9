"""Traces of jobs whose ends the controller writes itself; those of runs come from their daemons.

Fed by the observer. Nothing of it is authoritative: an end that another process wrote, perhaps just before it died, is kept for
a while, and described again by whoever leads next. Spans that were sent already have the same ids.
"""

from collections import deque
from collections.abc import Callable

from provisioner_operator.core.jobs.ended_run import EndedRun
from provisioner_operator.core.model.records import Job
from provisioner_operator.core.tracing.job_spans import Span, job_spans
from provisioner_operator.core.tracing.results import is_ended_by_controller

RECENT_SECONDS = 300.0
"""Age of an end up to which the next leader describes it again: longer than a change of leaders, or a restart, takes."""
_MOST_KEPT = 1000
"""Ends that are kept for the case that this process has to lead."""


class EndTraces:
    """Describes the ends of jobs; does nothing if traces are off."""

    def __init__(self, send: Callable[[tuple[Span, ...]], None] | None, leads: Callable[[], bool]) -> None:
        """Take what sends spans without waiting, None if traces are off, and whether this process leads."""
        self._send = send
        self._leads = leads
        self._kept: deque[tuple[Job, EndedRun]] = deque(maxlen=_MOST_KEPT)

    @property
    def is_on(self) -> bool:
        """Whether traces are on."""
        return self._send is not None

    def ended(self, job: Job, run: EndedRun) -> None:
        """Describe a job that ended, or keep it in case this process has to lead."""
        if self._send is None or not is_ended_by_controller(job):
            return
        if self._leads():
            self._send(job_spans(job, run))
        else:
            self._kept.append((job, run))

    def leadership_gained(self, now: float) -> None:
        """Describe again what the former leader may not have sent; `now` is the wall clock."""
        kept = list(self._kept)
        self._kept.clear()
        for job, run in kept:
            if self._send is not None and is_recent(job.finished, now):
                self._send(job_spans(job, run))


def is_recent(finished: float | None, now: float) -> bool:
    """Return whether the last leader may not have described this end."""
    return finished is not None and now - finished <= RECENT_SECONDS

"""Describe the daemon's runs as traces: at their end, and to their programs meanwhile. Off, it does nothing.

Made by `service`; used by `jobs.writes` when an end is written, and by the run for each stage.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from provisioner_operator.api.v1alpha1.job import ProvisionerJob
from provisioner_operator.api.v1alpha1.names import TRACEPARENT_ANNOTATION
from provisioner_operator.core.tracing.context import parse_traceparent, stage_context
from provisioner_operator.core.tracing.job_spans import Span, job_spans
from provisioner_operator.kube.job_parsing import parse_job_records

logger = logging.getLogger(__name__)

TRACEPARENT = "TRACEPARENT"
"""Variable by which programs learn their span, as OpenTofu does."""


class RunTraces:
    """Traces of the runs of one daemon."""

    def __init__(self, send: Callable[[tuple[Span, ...]], None] | None = None) -> None:
        """Take what sends spans without waiting; None if traces are off."""
        self._send = send

    def ended(self, body: Mapping[str, Any]) -> None:
        """Send the trace of a job that has ended. Raises nothing: the job's end is written already."""
        if self._send is None:
            return
        try:
            records = parse_job_records(body)
            if records.ended is not None:
                self._send(job_spans(records.job, records.ended))
        except Exception:
            logger.exception("A trace could not be made")

    def variables(self, job: ProvisionerJob, stage: str) -> Mapping[str, str]:
        """Return the variables by which the programs of a stage learn its span."""
        if self._send is None:
            return {}
        given = job.metadata.annotations.get(TRACEPARENT_ANNOTATION)
        parent = None if given is None else parse_traceparent(given)
        return {TRACEPARENT: stage_context(job.metadata.uid, parent, stage).traceparent}

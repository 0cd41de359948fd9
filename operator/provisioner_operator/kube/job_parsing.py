"""From a job's JSON to every record that the core makes of it, with its model parsed once.

Called by the controller's observer for each job that is listed, watched or written: parsing the model is nine tenths of
the work, so each record is taken from the same model.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from provisioner_operator.api.v1alpha1.job import ProvisionerJob
from provisioner_operator.api.v1alpha1.names import TRACEPARENT_ANNOTATION
from provisioner_operator.core.jobs.ended_run import EndedRun
from provisioner_operator.core.jobs.lifecycle import TERMINAL
from provisioner_operator.core.jobs.outcome import StageTiming
from provisioner_operator.core.model.records import Job
from provisioner_operator.core.workspaces.drift.records import DriftCheck
from provisioner_operator.core.workspaces.records import Build, Import, PlanJob
from provisioner_operator.kube.parsing import job_record, parse_job_model, seconds_of, shared_text
from provisioner_operator.kube.workspace_job_parsing import build_of, drift_check_of, import_of, plan_of


class JobRecords(NamedTuple):
    """One job as the reconcilers of jobs, workspaces and templates know it. A tuple, since one is made per event."""

    job: Job
    build: Build | None
    """None for a job that no workspace made."""
    plan: PlanJob | None
    """None for a job that plans no build for approval."""
    template_import: Import | None
    """None for a job that no template made."""
    drift_check: DriftCheck | None = None
    """None for a job that checks no workspace for drift."""
    ended: EndedRun | None = None
    """None for a job that has not ended."""


def parse_job_records(body: Mapping[str, Any]) -> JobRecords:
    """Parse a job once for all its records. Raises UnparseableObjectError."""
    model = parse_job_model(body)
    return JobRecords(
        job=job_record(model),
        build=build_of(model),
        plan=plan_of(model),
        template_import=import_of(model),
        drift_check=drift_check_of(model),
        ended=ended_run(model) if model.status.phase in TERMINAL else None,
    )


def ended_run(model: ProvisionerJob) -> EndedRun:
    """Make the record of how a job ended."""
    template = model.spec.template_ref
    return EndedRun(
        template=None if template is None else shared_text(template.name),
        stages=tuple(
            StageTiming(shared_text(each.stage), each.started_at.timestamp(), seconds_of(each.finished_at))
            for each in model.status.timings
        ),
        traceparent=model.metadata.annotations.get(TRACEPARENT_ANNOTATION),
    )

"""From a job's JSON to every record that the core makes of it, with its model parsed once.

Called by the controller's observer for each job that is listed, watched or written: parsing the model is nine tenths of
the work, so each record is taken from the same model.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from provisioner_operator.core.model.records import Job
from provisioner_operator.core.workspaces.drift.records import DriftCheck
from provisioner_operator.core.workspaces.records import Build, Import, PlanJob
from provisioner_operator.kube.parsing import job_record, parse_job_model
from provisioner_operator.kube.workspace_parsing import build_of, drift_check_of, import_of, plan_of


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


def parse_job_records(body: Mapping[str, Any]) -> JobRecords:
    """Parse a job once for all its records. Raises UnparseableObjectError."""
    model = parse_job_model(body)
    return JobRecords(
        job=job_record(model),
        build=build_of(model),
        plan=plan_of(model),
        template_import=import_of(model),
        drift_check=drift_check_of(model),
    )

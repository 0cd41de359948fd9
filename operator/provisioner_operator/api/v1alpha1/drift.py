"""Drift of a workspace: what a check found changed since its last build. Part of the Workspace; written by the controller."""

from typing import Annotated

from pydantic import AwareDatetime, Field, StringConstraints

from provisioner_operator.api.v1alpha1.base import Model
from provisioner_operator.api.v1alpha1.job_status import Resource
from provisioner_operator.api.v1alpha1.limits import (
    LONGEST_DRIFT_CHECK_SECONDS,
    MOST_DRIFTED,
    SHORTEST_DRIFT_CHECK_SECONDS,
)

DriftCheckSeconds = Annotated[int, Field(ge=SHORTEST_DRIFT_CHECK_SECONDS, le=LONGEST_DRIFT_CHECK_SECONDS)]


class WorkspaceDrift(Model):
    """Result of the last check for drift."""

    checked_at: AwareDatetime
    """Time at which the check ended."""
    build_number: Annotated[int, Field(ge=1)]
    """Number of the build that was checked."""
    job: Annotated[str, StringConstraints(max_length=63)]
    """Name of the job that checked it, a WorkspacePlan."""
    resources: Annotated[
        list[Resource], Field(max_length=MOST_DRIFTED, json_schema_extra={"x-kubernetes-list-type": "atomic"})
    ] = []
    """Resources that are not as the build left them, at most 64, each with what the same build would do to it now. The job's
    status may list more."""

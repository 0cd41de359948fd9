"""Baseline of the API server alone: assignments computed by the product's core and sent by the minimal client."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from bench.client import Request
from provisioner_operator.core.jobs.decisions import Assign
from provisioner_operator.core.model.matching import Supply
from provisioner_operator.core.model.records import Daemon, Offer
from provisioner_operator.kube import paths
from provisioner_operator.kube.parsing import parse_job

if TYPE_CHECKING:
    from collections.abc import Mapping

FLOOR = "API server alone"
_UID = "00000000-0000-4000-8000-000000000000"


def assignment(body: Mapping[str, Any]) -> Request:
    """Return the write that assigns this job, which matches no daemon, to a nonexistent daemon."""
    job = parse_job(body)
    supply, offer = Supply(job.namespace, frozenset(), frozenset()), Offer(frozenset(), frozenset(), 1, 300, 180)
    daemon = Daemon(job.namespace, "nobody", _UID, 1, supply, offer, lost_after=300, cancel_grace=180)
    operations = Assign(job, daemon).patch(time.time()).operations()
    return Request.conditional(paths.job_status(job.namespace, job.name), operations)

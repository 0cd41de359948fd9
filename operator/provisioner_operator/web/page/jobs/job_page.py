"""Rendering of one job, from the object that was just read and what the index knows of it and its queue."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from markupsafe import Markup

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.kube.parsing import job_record, parse_job_model
from provisioner_operator.web.index.cluster_index import ClusterIndex
from provisioner_operator.web.index.row_parsing import parse_job_row
from provisioner_operator.web.index.rows import JobRow
from provisioner_operator.web.page import paths
from provisioner_operator.web.page.chrome import stale_since
from provisioner_operator.web.page.jobs.action_buttons import action_buttons
from provisioner_operator.web.page.jobs.detail import job_detail
from provisioner_operator.web.page.jobs.listing import queue_facts
from provisioner_operator.web.page.jobs.rights import JobRights
from provisioner_operator.web.page.jobs.table import CancelRights, cancel_button, job_line
from provisioner_operator.web.page.jobs.why import Findings, explain
from provisioner_operator.web.page.rendering import render


def render_job(index: ClusterIndex, body: Mapping[str, Any], rights: JobRights, *, sees_daemons: bool) -> Markup:
    """Render the job; daemons are compared with it only for somebody who may list them."""
    model = parse_job_model(body)
    job = job_record(model)
    now = index.now()
    found = Findings()
    if job.phase is Phase.PENDING:
        queue = index.queue
        found = Findings(
            explanation=queue.explain(job),
            place=queue.place(job.uid),
            estimate=queue.start_of(job),
            unknown_because=queue.unknown_because(job),
            near_misses=queue.near_misses(job) if sees_daemons else (),
            fits=queue.fits(job) if sees_daemons else (),
            is_stuck=queue.is_stuck(job),
        )
    stale = stale_since(index)
    detail = job_detail(model, job, body, explain(job, found, now), index.queue.run_of(job), now)
    return render(
        "jobs/job.html",
        job=detail,
        actions=() if stale else action_buttons(detail, body["spec"], rights),
        cancel=cancel_button(parse_job_row(body), replace(rights.cancel, is_away=stale is not None)),
        links=_links(job.namespace, job.name),
        stale=stale,
    )


def render_row(index: ClusterIndex, row: JobRow) -> Markup:
    """Render what the index has of a job, while the job itself cannot be read."""
    line = job_line(row, queue_facts(index, row), CancelRights("", (), (), is_away=True), index.now(), ticking=False)
    return render("jobs/away.html", job=line, stale=stale_since(index))


def _links(org: str, name: str) -> dict[str, str]:
    return {"log": paths.job_log(org, name), "provisioners": paths.provisioner(org, "")}

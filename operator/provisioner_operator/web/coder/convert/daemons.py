"""Provisioner daemons in Coder's shape. Pure."""

from datetime import datetime
from uuid import UUID

from provisioner_operator.api.v1alpha1.daemon import ProvisionerDaemon as DaemonObject
from provisioner_operator.api.v1alpha1.enums import DaemonState
from provisioner_operator.core.model.records import Daemon, Job
from provisioner_operator.kube.parsing import parse_daemon
from provisioner_operator.web.coder.convert import ids
from provisioner_operator.web.coder.convert.template_names import template_names
from provisioner_operator.web.coder.convert.words import STATUS_OF
from provisioner_operator.web.coder.models.base import time_of
from provisioner_operator.web.coder.models.daemons import (
    DaemonStatus,
    MatchedProvisioners,
    ProvisionerDaemon,
    ProvisionerDaemonJob,
)
from provisioner_operator.web.index.cluster_index import ClusterIndex
from provisioner_operator.web.index.rows import JobRow, ObjectRow

API_VERSION = "1.0"
"""Version of the provisioner API that daemons are said to use; ours use Kubernetes' instead."""
KUBERNETES_KEY = "kubernetes"
"""Name of the key of every daemon: it writes with its identity in Kubernetes."""


def daemon_status(daemon: Daemon, index: ClusterIndex) -> DaemonStatus:
    """Return a daemon's status; one that is not in contact is offline, whatever it ran."""
    if index.queue.is_online(daemon):
        return "busy" if index.queue.used(daemon) else "idle"
    # A daemon that shuts down still finishes its runs.
    return "busy" if daemon.state is DaemonState.DRAINING and daemon.runs else "offline"


def provisioner_daemon(row: ObjectRow, index: ClusterIndex, *, shows_jobs: bool) -> ProvisionerDaemon:
    """Convert a daemon of the index, with its jobs only for whoever may see jobs. Raises UnparseableObjectError."""
    record = parse_daemon(row.body)
    model = DaemonObject.model_validate(row.body)
    current = next((found for run in model.status.current_jobs if (found := index.jobs.get(run.uid))), None)
    return ProvisionerDaemon(
        id=UUID(row.uid),
        organization_id=ids.uuid_of(index.namespace_uid(row.namespace)),
        key_id=ids.key_id(KUBERNETES_KEY),
        created_at=time_of(row.created),
        last_seen_at=model.status.last_heartbeat_time,
        name=row.name,
        version=model.status.version or "",
        api_version=API_VERSION,
        provisioners=[str(each) for each in model.spec.provisioners],
        tags=dict(sorted(record.supply.tags)),
        key_name=KUBERNETES_KEY,
        status=daemon_status(record, index),
        current_job=daemon_job(current, index) if shows_jobs and current is not None else None,
        previous_job=_previous_job(row, index) if shows_jobs else None,
    )


def daemon_job(row: JobRow, index: ClusterIndex) -> ProvisionerDaemonJob:
    """Convert a job as a daemon shows it."""
    template = template_names(index, row.job.namespace, row.template)
    return ProvisionerDaemonJob(
        id=UUID(row.job.uid),
        status=STATUS_OF[row.job.phase],
        template_name=template.name,
        template_icon=template.icon,
        template_display_name=template.display_name,
    )


def matched_provisioners(job: Job, index: ClusterIndex) -> MatchedProvisioners:
    """Count the daemons for a job, as they are now."""
    daemons = index.queue.matching_daemons(job)
    seen = [datetime.fromisoformat(each.heartbeat) for each in daemons if each.heartbeat is not None]
    return MatchedProvisioners(
        count=len(daemons),
        available=sum(1 for each in daemons if index.queue.is_online(each)),
        most_recently_seen=max(seen, default=None),
    )


def _previous_job(row: ObjectRow, index: ClusterIndex) -> ProvisionerDaemonJob | None:
    last = index.jobs.last_ended_on(row.name, row.namespace)
    return None if last is None else daemon_job(last, index)

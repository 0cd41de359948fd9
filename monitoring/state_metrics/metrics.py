"""The metrics of workspaces, templates, pools and daemons. Vocabularies come from the API.

There are none of jobs: kube-state-metrics cannot leave out those that have ended, and a cluster keeps thousands of them.
"""

from collections.abc import Iterator
from enum import StrEnum

from pydantic import BaseModel

from monitoring.state_metrics.config import (
    Family,
    Gauge,
    GaugeSource,
    GroupVersionKind,
    Info,
    InfoSource,
    Resource,
    Resources,
    StateMetrics,
    StateSet,
    StateSetSource,
)
from provisioner_operator.api.v1alpha1.daemon import ProvisionerDaemon
from provisioner_operator.api.v1alpha1.enums import DaemonState, WorkspacePhase
from provisioner_operator.api.v1alpha1.names import GROUP, VERSION
from provisioner_operator.api.v1alpha1.pool import ProvisionerPool
from provisioner_operator.api.v1alpha1.queueing.queue import ProvisionerQueue
from provisioner_operator.api.v1alpha1.template import WorkspaceTemplate
from provisioner_operator.api.v1alpha1.workspace import Workspace

MOST_SERIES = 20
"""Series that an object may have at most, all conditions included."""

_PREFIX = "kube_provisioner"
"""As kube-state-metrics' own metrics begin, and apart from the operator's."""
_QUIET = 5
"""Verbosity at which an absent value is logged: a workspace that never stops by itself is no error."""


def state_metrics() -> StateMetrics:
    """Return the configuration."""
    workspace = _resource(
        Workspace,
        "workspace",
        _info(
            "workspace_info",
            "Its template, the template's version with which it was last built, and whether it should run.",
            template="spec.templateRef.name",
            version="status.version",
            running="spec.running",
        ),
        _states("workspace_phase", "Its phase.", "status.phase", "phase", WorkspacePhase),
        _conditions("workspace_condition"),
        _gauge("workspace_build_number", "Number of its latest build, or of a later plan.", "status.buildNumber"),
        _gauge(
            "workspace_stops_at_timestamp_seconds",
            "Time at which autostop will stop it; absent if it will not.",
            "status.stopsAt",
        ),
        _gauge(
            "workspace_latest_build_finished_timestamp_seconds",
            "Time at which its latest build ended; absent until then.",
            "status.latestBuild.finishedAt",
        ),
    )
    return StateMetrics(spec=Resources(resources=(workspace, _template(), _pool(), _queue(), _daemon())))


def _template() -> Resource:
    return _resource(
        WorkspaceTemplate,
        "template",
        _info(
            "template_info",
            "The program that builds its workspaces, and its active version.",
            provisioner="spec.provisioner",
            version="status.activeVersion",
        ),
        _conditions("template_condition"),
        _gauge("template_workspaces", "Workspaces that use it.", "status.workspaces"),
    )


def _pool() -> Resource:
    return _resource(
        ProvisionerPool,
        "pool",
        _conditions("pool_condition"),
        _gauge("pool_desired_replicas", "Daemons that it should have.", "status.desiredReplicas"),
        _gauge("pool_replicas", "Daemons that it has.", "status.replicas"),
        _gauge("pool_updated_replicas", "Daemons that were made from its current spec.", "status.updatedReplicas"),
        _gauge("pool_idle_replicas", "Daemons that are ready and have no job.", "status.idle"),
        _gauge("pool_busy_replicas", "Daemons that have a job.", "status.busy"),
        _gauge("pool_queued_jobs", "Jobs that wait only for a daemon of it.", "status.queued"),
        _gauge("pool_min_replicas", "Lower bound of its autoscaling, if it has one.", "spec.autoscaling.minReplicas"),
        _gauge("pool_max_replicas", "Upper bound of its autoscaling, if it has one.", "spec.autoscaling.maxReplicas"),
    )


def _queue() -> Resource:
    return _resource(
        ProvisionerQueue,
        "queue",
        _conditions("queue_condition"),
        _gauge(
            "queue_pending_jobs", "Jobs that wait only for a daemon or a limit, half a minute ago.", "status.pending"
        ),
        _gauge("queue_running_jobs", "Jobs that are assigned or running, half a minute ago.", "status.running"),
    )


def _daemon() -> Resource:
    return _resource(
        ProvisionerDaemon,
        "daemon",
        _info("daemon_info", "Its version, once it has reported.", version="status.version"),
        _states("daemon_state", "Its state.", "status.state", "state", DaemonState),
        _conditions("daemon_condition"),
        _gauge("daemon_capacity", "Jobs that it may run at a time.", "spec.capacity"),
        _gauge("daemon_cordoned", "Whether it gets no further jobs.", "spec.cordoned"),
        _gauge(
            "daemon_last_heartbeat_timestamp_seconds",
            "Time of its last heartbeat, by its own clock.",
            "status.lastHeartbeatTime",
        ),
        _gauge("daemon_completed_jobs", "Jobs that completed on it.", "status.completedJobs"),
        _gauge("daemon_failed_jobs", "Jobs that failed on it.", "status.failedJobs"),
        _gauge("daemon_canceled_jobs", "Jobs that were canceled while it ran them.", "status.canceledJobs"),
        _gauge(
            "daemon_consecutive_failures", "Jobs that failed since it last completed one.", "status.consecutiveFailures"
        ),
    )


def _resource(model: type[BaseModel], label: str, *families: Family) -> Resource:
    return Resource(
        group_version_kind=GroupVersionKind(group=GROUP, version=VERSION, kind=model.__name__),
        metric_name_prefix=_PREFIX,
        labels_from_path={"namespace": ("metadata", "namespace"), label: ("metadata", "name")},
        error_log_v=_QUIET,
        metrics=families,
    )


def _gauge(name: str, text: str, path: str) -> Family:
    return Family(name=name, help=text, each=Gauge(gauge=GaugeSource(path=_steps(path))))


def _info(name: str, text: str, **labels: str) -> Family:
    paths = {label: _steps(path) for label, path in labels.items()}
    return Family(name=name, help=text, each=Info(info=InfoSource(labels_from_path=paths)))


def _states(name: str, text: str, path: str, label: str, values: type[StrEnum]) -> Family:
    # The whole path, and not `valueFrom` below the status: then an absent value is passed over, in all versions.
    source = StateSetSource(path=_steps(path), label_name=label, values=tuple(_names(values)))
    return Family(name=name, help=text, each=StateSet(state_set=source))


def _conditions(name: str) -> Family:
    source = GaugeSource(
        path=("status", "conditions"),
        value_from=("status",),
        labels_from_path={"type": ("type",), "reason": ("reason",)},
    )
    text = "Its conditions with their reasons: 1 for True, 0 for False and Unknown."
    return Family(name=name, help=text, each=Gauge(gauge=source))


def _names(values: type[StrEnum]) -> Iterator[str]:
    yield from (str(each.value) for each in values)


def _steps(path: str) -> tuple[str, ...]:
    return tuple(path.split("."))

"""Gauges of the cluster's state: jobs, queues, daemons, pools, templates and workspaces, measured when Prometheus scrapes.

Read from the reconcilers' records; only the leader shows them. The tags of a queue are a label, since an admin has to know
which tags wait for a daemon; their number is limited.
"""

from collections import Counter as Tally
from collections.abc import Callable, Iterator, Mapping
from itertools import islice

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from provisioner_operator import __version__
from provisioner_operator.api.v1alpha1.enums import (
    ConditionStatus,
    DaemonState,
    PendingReason,
    Phase,
    PoolCondition,
    StatusCondition,
    WorkspacePhase,
)
from provisioner_operator.controller import clock
from provisioner_operator.controller.telemetry.reason_label import reason_label
from provisioner_operator.core.jobs.lifecycle import TERMINAL
from provisioner_operator.core.model.matching import format_tags, satisfies
from provisioner_operator.core.pools.records import Pool
from provisioner_operator.core.reconcilers.reconcilers import Reconcilers
from provisioner_operator.core.scheduling.queueing.bound import measure_fairness
from provisioner_operator.core.workspaces.records import Template

UNEXPLAINED = "Unexplained"
"""The label of pending jobs whose status has no reason, so that the sum over all reasons is the number of pending jobs."""
_QUEUES_SHOWN = 100
"""The deepest queues that are shown, so that no submitter can flood the monitoring with invented tags."""


_TEMPLATE_STATES = (StatusCondition.STALLED, StatusCondition.READY, StatusCondition.RECONCILING)
"""Conditions by which templates are counted. The first that is True counts: a template may be ready with an old version, and stalled."""


class StateCollector(Collector):
    """Measures at each scrape, so that nothing is spent between two."""

    def __init__(self, reconcilers: Reconcilers, leads: Callable[[], bool], decides: Callable[[], bool]) -> None:
        self._jobs = reconcilers.jobs
        self._pools = reconcilers.pools
        self._workspaces = reconcilers.workspaces
        self._leads = leads
        self._decides = decides

    @override
    def collect(self) -> Iterator[Metric]:
        """Measure all gauges."""
        info = GaugeMetricFamily(
            "provisioner_build_info", "The version of this controller; always 1.", labels=["version"]
        )
        info.add_metric([__version__], 1)
        yield info
        yield GaugeMetricFamily(
            "provisioner_leader",
            "1 if this process leads and decides, 0 if it is on standby or a watch of its own is cut.",
            value=self._decides(),
        )
        if not self._leads():
            return
        yield from self._unfinished_jobs()
        yield from self._daemon_states()
        yield self._held_namespaces()
        yield from self._queues()
        yield from self._fairness()
        yield self._pool_sizes()
        yield self._pool_conditions()
        yield self._template_states()
        yield self._workspace_phases()
        yield self._drifted_workspaces()

    def _unfinished_jobs(self) -> Iterator[Metric]:
        phases = Tally(job.phase for job in self._jobs.jobs())
        jobs = GaugeMetricFamily("provisioner_jobs", "Jobs that have not ended, by phase.", labels=["phase"])
        for phase in Phase:
            if phase not in TERMINAL:
                jobs.add_metric([phase.value], phases[phase])
        yield jobs
        waiting = Tally(
            reason_label(job.reason, PendingReason) if job.reason else UNEXPLAINED
            for job in self._jobs.jobs()
            if job.phase is Phase.PENDING
        )
        reasons = GaugeMetricFamily(
            "provisioner_jobs_pending",
            f"Pending jobs, by the reason for which they have not started; {UNEXPLAINED} while their status has none, for example because they are already assigned.",
            labels=["reason"],
        )
        for reason, count in waiting.items():
            reasons.add_metric([reason], count)
        yield reasons

    def _daemon_states(self) -> Iterator[Metric]:
        states = Tally(daemon.state if online else DaemonState.OFFLINE for daemon, online in self._jobs.daemons())
        daemons = GaugeMetricFamily("provisioner_daemons", "Daemons, by state.", labels=["state"])
        for state in DaemonState:
            daemons.add_metric([state.value], states[state])
        yield daemons
        known = [daemon for daemon, _ in self._jobs.daemons()]
        yield GaugeMetricFamily(
            "provisioner_daemons_failing",
            "Daemons whose last runs all failed as soon as they started (condition Healthy).",
            value=sum(not daemon.is_healthy for daemon in known),
        )
        yield GaugeMetricFamily(
            "provisioner_unsaved_states",
            "Terraform states that could not be saved and exist only on a daemon's disk.",
            value=sum(len(daemon.unsaved) for daemon in known),
        )

    def _held_namespaces(self) -> Metric:
        return GaugeMetricFamily(
            "provisioner_held_namespaces",
            "Namespaces in which a new leader starts no build yet, because it awaits the reports of a daemon.",
            value=self._jobs.held_namespaces(),
        )

    def _workspace_phases(self) -> Metric:
        phases = Tally(workspace.status.phase for workspace in self._workspaces.workspaces())
        found = GaugeMetricFamily("provisioner_workspaces", "Workspaces, by phase.", labels=["phase"])
        for phase in WorkspacePhase:
            found.add_metric([phase.value], phases[phase])
        return found

    def _drifted_workspaces(self) -> Metric:
        # Zero for a namespace in which checks found nothing, so that an alert on it ends.
        counts: Tally[str] = Tally()
        for workspace in self._workspaces.workspaces():
            drifted = next((each for each in workspace.status.conditions if each.type == StatusCondition.DRIFTED), None)
            if drifted is not None:
                counts[workspace.namespace] += drifted.status is ConditionStatus.TRUE
        found = GaugeMetricFamily(
            "provisioner_workspaces_drifted",
            "Workspaces of which the last check found resources that were changed outside of Terraform, by namespace; only "
            "namespaces with workspaces that are checked.",
            labels=["namespace"],
        )
        for namespace, count in counts.items():
            found.add_metric([namespace], count)
        return found

    def _pool_sizes(self) -> Metric:
        sizes = GaugeMetricFamily(
            "provisioner_pool_daemons",
            "Daemons of a pool, by the state in which its status counts them, and the number that it may have (`max`).",
            labels=["namespace", "pool", "which"],
        )
        for pool in self._pools.pools():
            status = pool.status
            counts = {
                "wanted": status.desired_replicas,
                "present": status.replicas,
                "idle": status.idle,
                "busy": status.busy,
                "max": pool.replicas if pool.autoscaling is None else pool.autoscaling.max_replicas,
            }
            for which, count in counts.items():
                sizes.add_metric([pool.namespace, pool.name, which], count)
        return sizes

    def _pool_conditions(self) -> Metric:
        found = GaugeMetricFamily(
            "provisioner_pool_condition",
            "1 if this condition of a pool is True, else 0.",
            labels=["namespace", "pool", "type"],
        )
        for pool in self._pools.pools():
            true = {each.type for each in pool.status.conditions if each.status is ConditionStatus.TRUE}
            for type_ in PoolCondition:
                found.add_metric([pool.namespace, pool.name, type_.value], type_ in true)
        return found

    def _template_states(self) -> Metric:
        states = Tally(_state_of(template) for template in self._workspaces.templates())
        found = GaugeMetricFamily(
            "provisioner_templates",
            "Templates, by the condition that is True; Reconciling also before there is any.",
            labels=["state"],
        )
        for state in _TEMPLATE_STATES:
            found.add_metric([state.value], states[state])
        return found

    def _queues(self) -> Iterator[Metric]:
        labels = ["namespace", "provisioner", "tags"]
        depth = GaugeMetricFamily(
            "provisioner_queue_depth",
            "Jobs that wait only for a daemon, or for daemons' reports to a new leader, by namespace, provisioner and tags.",
            labels=labels,
        )
        age = GaugeMetricFamily("provisioner_queue_oldest_seconds", "Age of the oldest job in a queue.", labels=labels)
        covering = GaugeMetricFamily(
            "provisioner_queue_pool",
            "1 for each pool whose daemons may run the jobs of a queue; a queue without any waits for other daemons.",
            labels=[*labels, "pool"],
        )
        pools = self._pools_by_namespace()
        now = clock.read().wall
        deepest = sorted(self._jobs.queue_depths().items(), key=lambda each: -each[1][0])[:_QUEUES_SHOWN]
        for demand, (count, first) in deepest:
            values = [demand.namespace, demand.provisioner.value, format_tags(demand.tags)]
            depth.add_metric(values, count)
            age.add_metric(values, max(now - first.created, 0))
            for pool in pools.get(demand.namespace, ()):
                if satisfies(pool.supply, demand):
                    covering.add_metric([*values, pool.name], 1)
        yield depth
        yield age
        yield covering

    def _pools_by_namespace(self) -> Mapping[str, list[Pool]]:
        found: dict[str, list[Pool]] = {}
        for pool in self._pools.pools():
            if not pool.deleting:
                found.setdefault(pool.namespace, []).append(pool)
        return found

    def _fairness(self) -> Iterator[Metric]:
        wait = GaugeMetricFamily(
            "provisioner_group_wait_seconds",
            "Longest wait of a group of the queue's policy whose jobs wait for a daemon alone while none of them runs.",
            labels=["namespace"],
        )
        ratio = GaugeMetricFamily(
            "provisioner_fairness_bound_ratio",
            "Largest ratio of such a wait to the bound of fairness; above 1, few daemons have the tags of the group's jobs.",
            labels=["namespace"],
        )
        now = clock.read().wall
        for namespace, queue in islice(self._jobs.policy_queues.with_policy(), _QUEUES_SHOWN):
            if queue.policy.fairness is not None:
                found = measure_fairness(queue, now)
                wait.add_metric([namespace], found.longest_wait)
                ratio.add_metric([namespace], found.ratio)
        yield wait
        yield ratio


def _state_of(template: Template) -> StatusCondition:
    true = {each.type for each in template.status.conditions if each.status is ConditionStatus.TRUE}
    return next((state for state in _TEMPLATE_STATES if state in true), StatusCondition.RECONCILING)

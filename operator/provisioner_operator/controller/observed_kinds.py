"""The table of observed kinds: for each, the parser of its objects and the reconciler that takes and forgets the records.

Read by `observer`, which adds what all kinds have in common. Pods are not in it: one Pod is both a daemon and a member of
a pool, and may fit one of the two models only.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from provisioner_operator.controller import clock
from provisioner_operator.core.model.records import Daemon, Job, UnreadableObject
from provisioner_operator.core.pools.records import Pool
from provisioner_operator.core.reconcilers.jobs import JobReconciler
from provisioner_operator.core.reconcilers.pools import PoolReconciler
from provisioner_operator.core.reconcilers.reconcilers import Reconcilers
from provisioner_operator.core.reconcilers.supplies import SupplyReconciler
from provisioner_operator.core.scheduling.queueing.records import Queue
from provisioner_operator.core.scheduling.supplies import SupplyRecord
from provisioner_operator.core.workspaces.records import Template, Workspace
from provisioner_operator.kube.job_parsing import JobRecords, parse_job_records
from provisioner_operator.kube.parsing import parse_daemon
from provisioner_operator.kube.pool_parsing import parse_pool
from provisioner_operator.kube.queue_parsing import parse_queue
from provisioner_operator.kube.queueing.supply_parsing import parse_supply
from provisioner_operator.kube.workspace_parsing import parse_template, parse_workspace

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class ObservedKind(Generic[Record]):
    """One row of the table."""

    name: str
    """The kind as the API spells it, for logs, Events and the metric of unparseable objects."""
    parse: Callable[[Mapping[str, Any]], Record]
    """Raises UnparseableObjectError."""
    observe: Callable[[Record], bool]
    """Stores the record; returns whether there may be something to decide."""
    forget: Callable[[str], None]
    """Forgets the object of that uid."""
    park: Callable[[UnreadableObject], None]
    """Has nothing decided about that object until it can be parsed again."""


class ObservedKinds:
    """The table, bound to the reconcilers of one controller."""

    job: ObservedKind[JobRecords]
    build: ObservedKind[JobRecords]
    """A job that is observed for its workspace or template alone."""
    daemon: ObservedKind[Daemon]
    fresh_daemon: ObservedKind[Daemon]
    """A daemon that was read just now: only that confirms missed heartbeats."""
    watched_daemon: ObservedKind[Daemon]
    """A daemon that a watch reports: no heartbeat of it is missed."""
    pool: ObservedKind[Pool]
    queue: ObservedKind[Queue]
    supply: ObservedKind[SupplyRecord]
    template: ObservedKind[Template]
    workspace: ObservedKind[Workspace]

    def __init__(
        self,
        reconcilers: Reconcilers,
        job_changed: Callable[[Job, JobRecords, float], None],
    ) -> None:
        """`job_changed` is called with a known job's previous and new records, and the time since which it was claimable."""
        jobs = self._jobs = reconcilers.jobs
        workspaces = self._workspaces = reconcilers.workspaces
        self._supplies = reconcilers.supplies
        self._job_changed = job_changed
        self.job = ObservedKind(
            "ProvisionerJob", parse_job_records, self._observe_job, self._forget_job, _unless_newer(jobs.job, jobs.park)
        )
        self.build = replace(self.job, observe=self._observe_build)
        self.daemon = ObservedKind(
            "ProvisionerDaemon",
            parse_daemon,
            observe=lambda daemon: jobs.observe_daemon(daemon, clock.read()),
            forget=lambda uid: jobs.daemon_deleted(uid, clock.read()),
            park=lambda daemon: jobs.observe_unreadable_daemon(daemon, clock.read()),
        )
        self.fresh_daemon = replace(
            self.daemon, observe=lambda daemon: jobs.observe_daemon(daemon, clock.read(), fresh=True)
        )
        self.watched_daemon = replace(
            self.daemon, forget=lambda uid: jobs.daemon_deleted(uid, clock.read(), watched=True)
        )
        self.pool = _pool_kind(reconcilers.pools)
        self.queue = _queue_kind(jobs)
        self.supply = _supply_kind(reconcilers.supplies)
        self.template = ObservedKind(
            "WorkspaceTemplate",
            parse_template,
            self._observe_template,
            self._forget_template,
            _unless_newer(workspaces.template, workspaces.park),
        )
        self.workspace = ObservedKind(
            "Workspace", parse_workspace, self._observe_workspace, workspaces.workspace_deleted, self._park_workspace
        )

    def _observe_job(self, records: JobRecords) -> bool:
        # The build before the job: an ended job may be deleted only once its workspace has noted its end.
        is_news = self._observe_build(records)
        previous = self._jobs.job(records.job.uid)
        # Asked now: a job that ends is forgotten.
        claimable = self._jobs.claimable_since(records.job)
        if not self._jobs.observe_job(records.job, clock.read()):
            return is_news
        if previous is not None:
            self._job_changed(previous, records, claimable)
        return True

    def _observe_template(self, template: Template) -> bool:
        is_news = self._workspaces.observe_template(template)
        if is_news:
            self._supplies.template_changed(template, clock.read())
        return is_news

    def _forget_template(self, uid: str) -> None:
        template = self._workspaces.template(uid)
        self._workspaces.template_deleted(uid)
        if template is not None:
            self._supplies.template_changed(template, clock.read())

    def _observe_workspace(self, workspace: Workspace) -> bool:
        is_news = self._workspaces.observe_workspace(workspace)
        if is_news:
            self._jobs.workspace_changed((workspace.namespace, workspace.name))
        return is_news

    def _park_workspace(self, workspace: UnreadableObject) -> None:
        self._workspaces.observe_unreadable_workspace(workspace)
        self._jobs.workspace_changed((workspace.namespace, workspace.name))

    def _observe_build(self, records: JobRecords) -> bool:
        is_news = records.build is not None and self._workspaces.observe_build(records.build)
        if records.plan is not None:
            is_news |= self._workspaces.observe_plan(records.plan)
        if records.template_import is not None:
            is_news |= self._workspaces.observe_import(records.template_import)
        if records.drift_check is not None:
            is_news |= self._workspaces.observe_drift_check(records.drift_check)
        return is_news

    def _forget_job(self, uid: str) -> None:
        self._jobs.job_deleted(uid, clock.read())
        self._workspaces.job_deleted(uid)


def _pool_kind(pools: PoolReconciler) -> ObservedKind[Pool]:
    return ObservedKind(
        "ProvisionerPool",
        parse_pool,
        observe=lambda pool: pools.observe_pool(pool, clock.read()),
        forget=lambda uid: pools.pool_deleted(uid, clock.read()),
        park=_unless_newer(pools.pool, pools.park),
    )


def _queue_kind(jobs: JobReconciler) -> ObservedKind[Queue]:
    return ObservedKind(
        "ProvisionerQueue",
        parse_queue,
        observe=lambda queue: jobs.observe_queue(queue, clock.read()),
        forget=lambda uid: jobs.queue_deleted(uid, clock.read()),
        # The policy that could be read stays in effect.
        park=lambda _: None,
    )


def _supply_kind(supplies: SupplyReconciler) -> ObservedKind[SupplyRecord]:
    return ObservedKind(
        "ProvisionerSupply",
        parse_supply,
        observe=lambda supply: supplies.observe_supply(supply, clock.read()),
        forget=lambda uid: supplies.supply_deleted(uid, clock.read()),
        # Its next write replaces what nobody can read.
        park=lambda _: None,
    )


def _unless_newer(
    known: Callable[[str], Job | Pool | Template | None], park: Callable[[str], None]
) -> Callable[[UnreadableObject], None]:
    """Return a function that parks an object unless this or a later version of it was parsed."""

    def observe(unreadable: UnreadableObject) -> None:
        parsed = known(unreadable.uid)
        if parsed is None or parsed.resource_version < unreadable.resource_version:
            park(unreadable.uid)

    return observe

"""Of objects that are gone, the reconcilers keep nothing, whatever happened to them: a controller runs for months."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import DaemonState, EndReason, PendingReason, Phase
from provisioner_operator.core.model.backoff import Refusal
from provisioner_operator.core.model.gone_objects import GoneObjects
from provisioner_operator.core.model.keyed_heap import KeyedHeap
from provisioner_operator.core.model.records import DaemonPod, UnreadableObject
from provisioner_operator.core.reconcilers.jobs import JobReconciler
from provisioner_operator.core.reconcilers.reconcilers import Reconcilers
from provisioner_operator.core.scheduling.queueing.policy import Limit
from provisioner_operator.core.scheduling.queueing.records import Queue
from provisioner_operator.core.scheduling.supplies import SupplyContent, SupplyRecord
from provisioner_operator.core.workspaces.records import SourceFiles
from support.builders.core import (
    NAMESPACE,
    a_daemon,
    a_job,
    a_running_job,
    an_assigned_job,
    at,
    later_version,
    next_heartbeat,
)
from support.builders.observed_jobs import ended
from support.builders.observed_pools import OFFER
from support.builders.pools import a_pod, a_pool
from support.builders.queues import a_policy
from support.builders.workspaces import (
    a_build,
    a_drift_check,
    a_plan,
    a_template,
    a_workspace,
    an_import,
)

NO = Refusal("Forbidden", "no")
BOUNDED = {"_listed", "_searched", "_looked_at", "_status_seen", "changed_fleets", "_deleted"}
"""Attributes about the namespaces that were served, which are few, or about the last deletions."""


def kept(thing: Any, name: str = "") -> Iterator[str]:
    """Names of the collections below this object that hold anything, apart from the last deletions."""
    if isinstance(thing, KeyedHeap | dict | list | set) and not isinstance(thing, GoneObjects):
        if len(thing) and name not in BOUNDED:
            yield name
    elif not isinstance(thing, GoneObjects) and type(thing).__module__.startswith("provisioner_operator.core"):
        slots = (each for base in type(thing).__mro__ for each in getattr(base, "__slots__", ()))
        for each in {**dict.fromkeys(slots), **getattr(thing, "__dict__", {})}:
            yield from kept(getattr(thing, each), each)


def rounds(reconcilers: Reconcilers, *times: float, refused: bool = False) -> None:
    """Let all reconcilers decide at these times, and settle what they decide."""
    for now in times:
        for each in (reconcilers.jobs, reconcilers.pools, reconcilers.workspaces, reconcilers.supplies):
            reconciler: Any = each
            for decision in list(reconciler.decide(at(now))):
                if refused:
                    reconciler.refused(decision, NO, at(now))
                reconciler.settled(decision, at(now))


def jobs_come_and_go(all_of: Reconcilers) -> None:
    jobs, daemon, queued = all_of.jobs, a_daemon(capacity=4), a_job("queued", tags={"gpu": "1"}, workspace="dev")
    running = a_running_job("running", workspace="dev", ttl=60)
    held, lost = a_job("held", cancel=True), an_assigned_job("lost", workspace="other")
    reader = a_job("reader", workspace="dev", initiator="ann", suspend=True)
    jobs.observe_daemon(next_heartbeat(daemon, runs=(running,)), at(0))
    for job in (queued, running, held, lost, reader):
        jobs.observe_job(job, at(0))
    rounds(all_of, 0, 1, 40, refused=True)
    jobs.park(queued.uid)
    jobs.observe_daemon(replace(next_heartbeat(daemon), resource_version=9), at(41))
    jobs.observe_job(ended(running, reason=EndReason.DEADLINE_EXCEEDED), at(42))
    jobs.observe_job(later_version(reader, phase=Phase.CANCELED, ttl=None), at(42))
    rounds(all_of, 42, 50)
    for job in (queued, running, held, lost, reader):
        jobs.job_deleted(job.uid, at(60))
    jobs.daemon_deleted(daemon.uid, at(60))
    rounds(all_of, 61, 2000)


def daemons_come_and_go(all_of: Reconcilers) -> None:
    jobs = all_of.jobs
    pod = DaemonPod(NAMESPACE, "daemon", "uid-of-pod", 1, OFFER, ready=True)
    daemon = a_daemon(pod_uid=pod.uid, state=DaemonState.DRAINING)
    jobs.leadership_gained(at(0))
    jobs.observe_pod(pod, at(0))
    jobs.observe_daemon(daemon, at(0))
    jobs.observe_unreadable_daemon(UnreadableObject(NAMESPACE, "other", "uid-of-other", 5), at(0))
    jobs.leadership_gained(at(1))
    rounds(all_of, 1, 50, refused=True)
    jobs.pod_deleted(pod.uid, NAMESPACE, replace(pod, resource_version=2, ended="Completed"), at(60))
    jobs.daemon_deleted(daemon.uid, at(60), watched=True)
    jobs.daemon_deleted("uid-of-other", at(60))
    rounds(all_of, 61, 2000)


def queues_come_and_go(all_of: Reconcilers) -> None:
    jobs, policy = all_of.jobs, a_policy(Limit("one", 1))
    running, waiting = a_running_job("first"), a_job("second", reason=PendingReason.LIMIT_REACHED)
    jobs.observe_queue(Queue(NAMESPACE, "default", "uid-of-queue", 1, 1, policy), at(0))
    jobs.observe_daemon(a_daemon(runs=(running,), capacity=2), at(0))
    jobs.observe_job(running, at(0))
    jobs.observe_job(waiting, at(0))
    rounds(all_of, 0, 40, refused=True)
    jobs.park("uid-of-queue")
    jobs.observe_job(ended(running), at(50))
    for job in (running, waiting):
        jobs.job_deleted(job.uid, at(60))
    jobs.queue_deleted("uid-of-queue", at(60))
    jobs.daemon_deleted("uid-of-daemon", at(60))
    rounds(all_of, 61, 2000)


def pools_come_and_go(all_of: Reconcilers) -> None:
    pools, pool, unfinished = all_of.pools, a_pool(replicas=2), a_pool("unfinished", finalizers=())
    long = a_running_job(daemon="pool-a", active_deadline=1e6)
    pools.pods_found(NAMESPACE)
    pools.observe_pool(pool, at(0))
    pools.observe_pool(unfinished, at(0))
    pools.observe_pod(a_pod("pool-a", uid="uid-of-pod", pool_uid=pool.uid), 1)
    all_of.jobs.observe_pod(DaemonPod(NAMESPACE, "pool-a", "uid-of-pod", 1, OFFER, ready=True), at(0))
    all_of.jobs.observe_daemon(a_daemon("pool-a", pod_uid="uid-of-pod", offer=OFFER), at(0))
    assert pools.run_started(long) is not None
    rounds(all_of, 0, 2, 20, refused=True)
    pools.park(pool.uid)
    rounds(all_of, 30)
    pools.pod_deleted("uid-of-pod")
    all_of.jobs.pod_deleted("uid-of-pod", NAMESPACE, None, at(31))
    all_of.jobs.daemon_deleted("uid-of-pool-a", at(31))
    for each in (pool, unfinished):
        pools.pool_deleted(each.uid, at(32))
    rounds(all_of, 33, 2000)


def workspaces_come_and_go(all_of: Reconcilers) -> None:
    cache, template, workspace = all_of.workspaces, a_template(), a_workspace(needs_approval=True, drift_check=3600)
    cache.workspaces_listed(NAMESPACE)
    cache.observe_template(template)
    cache.observe_workspace(workspace)
    cache.observe_unreadable_workspace(UnreadableObject(NAMESPACE, "odd", "uid-of-odd", 1))
    cache.observe_unsaved_state((NAMESPACE, "dev"), "The state is on daemon d1 only.")
    running = a_build(phase=Phase.RUNNING)
    for build in (running, a_build(2, phase=Phase.PENDING)):
        cache.observe_build(build)
    cache.observe_plan(plan := a_plan(3, phase=Phase.RUNNING))
    cache.observe_import(imported := an_import(phase=Phase.RUNNING))
    cache.observe_drift_check(check := a_drift_check(phase=Phase.RUNNING))
    cache.source_read(template, SourceFiles({"main.tf": ""}), at(0))
    cache.builds_found(workspace, 3)
    rounds(all_of, 0, 40, refused=True)
    cache.park(template.uid)
    cache.observe_unsaved_state((NAMESPACE, "dev"), None)
    cache.job_deleted(running.job_uid)
    cache.workspace_deleted(workspace.uid)
    cache.workspace_deleted("uid-of-odd")
    cache.template_deleted(template.uid)
    for uid in (a_build(2).job_uid, plan.job_uid, imported.job_uid, check.job_uid):
        cache.job_deleted(uid)
    rounds(all_of, 50, 2000)


def supplies_come_and_go(all_of: Reconcilers) -> None:
    all_of.jobs.observe_daemon(a_daemon(), at(0))
    for uid in ("first", "second"):
        all_of.supplies.observe_supply(SupplyRecord(NAMESPACE, uid, 1, SupplyContent(), None), at(0))
    rounds(all_of, 5, 10, refused=True)
    all_of.jobs.daemon_deleted("uid-of-daemon", at(20))
    for uid in ("first", "second"):
        all_of.supplies.supply_deleted(uid, at(20))
    rounds(all_of, 1000, 2000)


@pytest.mark.parametrize(
    "come_and_go",
    [
        jobs_come_and_go,
        daemons_come_and_go,
        queues_come_and_go,
        pools_come_and_go,
        workspaces_come_and_go,
        supplies_come_and_go,
    ],
    ids=lambda each: each.__name__,
)
def test_nothing_is_left_of_what_is_gone(come_and_go: Any) -> None:
    reconcilers = Reconcilers.create("image", publish_supplies=True)
    come_and_go(reconcilers)
    parts = (reconcilers.jobs, reconcilers.pools, reconcilers.workspaces, reconcilers.supplies)
    assert [name for part in parts for name in kept(part)] == []


def test_the_search_sees_what_is_kept() -> None:
    jobs = JobReconciler()
    assert list(kept(jobs)) == []
    jobs.observe_job(a_job(tags={"gpu": "1"}), at(0))
    list(jobs.decide(at(0)))
    assert {"_jobs", "_lines", "_supplies_for", "_due"} <= set(kept(jobs))

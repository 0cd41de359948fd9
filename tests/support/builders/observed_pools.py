"""Reconcilers of pools and of jobs with a test in the place of the API server."""

from dataclasses import replace
from typing import Any

from provisioner_operator.api.v1alpha1.enums import Provisioner
from provisioner_operator.core.model.records import Daemon, DaemonPod, Offer
from provisioner_operator.core.pools.decisions import CreatePod, PoolDecision, UpdatePoolStatus
from provisioner_operator.core.pools.pod_builder import revision
from provisioner_operator.core.pools.records import Pool, PoolStatus
from provisioner_operator.core.reconcilers.jobs import JobReconciler
from provisioner_operator.core.reconcilers.pools import PoolReconciler
from support.builders.core import NAMESPACE, a_daemon, at
from support.builders.pools import a_pod

IMAGE = "image"
OFFER = Offer(frozenset(), frozenset({Provisioner.TERRAFORM}), capacity=1, lost_after=300, cancel_grace=180)


class ObservedPools:
    """The reconcilers of jobs and of pools, which observe the same cluster."""

    def __init__(self, *pools: Pool) -> None:
        self.jobs = JobReconciler()
        self.pools = PoolReconciler(self.jobs, IMAGE)
        self.pools.pods_found(NAMESPACE)
        for pool in pools:
            self.pools.observe_pool(pool, at(0))

    def run_pod(self, pool: Pool, name: str, *, now: float = 0, **fields: Any) -> Daemon:
        """A ready Pod of the pool, and the daemon that it became."""
        uid = f"pod-of-{name}"
        made = a_pod(name, uid=uid, pool_uid=pool.uid, revision=revision(pool, IMAGE), ready_since=now)
        self.pools.observe_pod(made, resource_version=1)
        self.jobs.observe_pod(DaemonPod(NAMESPACE, name, uid, 1, OFFER, ready=True), at(now))
        daemon = a_daemon(name, pod_uid=uid, offer=OFFER, **fields)
        self.jobs.observe_daemon(daemon, at(now))
        return daemon

    def decided(self, now: float = 0) -> list[PoolDecision]:
        list(self.jobs.decide(at(now)))
        return list(self.pools.decide(at(now)))

    def settle(self, *decisions: PoolDecision, now: float = 0) -> None:
        """The writes of these decisions are answered; a status that was written is observed."""
        for each in decisions:
            if isinstance(each, UpdatePoolStatus):
                version = each.pool.resource_version + 1
                self.pools.observe_pool(replace(each.pool, status=each.status, resource_version=version), at(now))
            self.pools.settled(each, at(now))


def statuses(decisions: list[PoolDecision]) -> list[PoolStatus]:
    return [each.status for each in decisions if isinstance(each, UpdatePoolStatus)]


def created(decisions: list[PoolDecision]) -> list[str]:
    return [each.name for each in decisions if isinstance(each, CreatePod)]

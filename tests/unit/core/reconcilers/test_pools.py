"""Pools beside jobs and daemons: when they are planned, with which members and load, and what a run's end teaches them."""

from dataclasses import replace
from typing import Any

from provisioner_operator.api.v1alpha1.enums import DaemonState, Provisioner
from provisioner_operator.core.daemons.decisions import RegisterDaemon
from provisioner_operator.core.model.records import Daemon, DaemonPod, Offer
from provisioner_operator.core.pools.decisions import (
    CordonDaemon,
    CreatePod,
    DeletePod,
    PoolDecision,
    RemoveFinalizer,
    UncordonDaemon,
    UpdatePoolStatus,
)
from provisioner_operator.core.pools.members import PoolPod, Trouble
from provisioner_operator.core.pools.pod_builder import revision
from provisioner_operator.core.pools.records import Pool, PoolStatus
from provisioner_operator.core.reconcilers.jobs import Mirror
from provisioner_operator.core.reconcilers.pools import LOOK_SECONDS, PoolMirror
from support.builders.core import NAMESPACE, NOON, a_daemon, a_job, a_running_job, an_ended_job, at, next_heartbeat
from support.builders.pools import a_pod, a_pool, scaling

IMAGE = "image"
OFFER = Offer(frozenset(), frozenset({Provisioner.TERRAFORM}), capacity=1, lost_after=300, cancel_grace=180)


class Cluster:
    """The reconcilers of jobs and of pools, which observe the same cluster."""

    def __init__(self, *pools: Pool) -> None:
        self.jobs = Mirror()
        self.pools = PoolMirror(self.jobs, IMAGE)
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
            self.pools.settled(each)


def statuses(decisions: list[PoolDecision]) -> list[PoolStatus]:
    return [each.status for each in decisions if isinstance(each, UpdatePoolStatus)]


def created(decisions: list[PoolDecision]) -> list[str]:
    return [each.name for each in decisions if isinstance(each, CreatePod)]


def test_without_pools_there_is_nothing_to_decide() -> None:
    cluster = Cluster()

    assert cluster.decided() == []
    assert cluster.pools.next_wake() is None
    assert list(cluster.pools.pools()) == []


def test_a_new_pool_gets_its_pods_once() -> None:
    pool = a_pool(replicas=2)
    cluster = Cluster(pool)

    first = cluster.decided()

    assert len(created(first)) == 2
    assert cluster.decided(1) == []  # all of it is under way
    cluster.settle(*first)
    assert [each.status.desired_replicas for each in cluster.pools.pools()] == [2]


def test_a_version_of_a_pool_or_a_pod_that_is_known_is_no_news() -> None:
    pool = a_pool()
    cluster = Cluster(pool)
    pod = a_pod()

    assert not cluster.pools.observe_pool(pool, at(1))
    assert cluster.pools.observe_pod(pod, 2)
    assert not cluster.pools.observe_pod(pod, 2)
    assert not cluster.pools.observe_pod(pod, 1)


def test_members_are_the_pools_pods_with_their_daemons_and_jobs() -> None:
    pool, other = a_pool(replicas=3), a_pool("other", replicas=0)
    cluster = Cluster(pool, other)
    busy = cluster.run_pod(pool, "pool-a")
    cluster.run_pod(pool, "pool-b")
    cluster.pools.observe_pod(a_pod("pool-c", revision=revision(pool, IMAGE)), 1)  # has no daemon yet
    cluster.jobs.observe_job(a_running_job(daemon=busy.name), at(0))

    mine, others = statuses(cluster.decided())

    assert (mine.replicas, mine.busy, mine.idle) == (3, 1, 1)
    assert (others.replicas, others.busy) == (0, 0)


def test_a_pod_whose_daemon_holds_a_job_is_cordoned_and_deleted_only_when_that_is_over() -> None:
    pool = a_pool(replicas=0)
    cluster = Cluster(pool)
    daemon = cluster.run_pod(pool, "pool-a")
    running = a_running_job(daemon=daemon.name)
    cluster.jobs.observe_job(running, at(0))

    (cordon, *rest) = cluster.decided()
    assert isinstance(cordon, CordonDaemon)
    assert not cordon.daemon.annotated
    cluster.settle(cordon, *rest)
    cordoned = next_heartbeat(daemon, cordoned=True, cordoned_by="pool", annotated=True)
    cluster.jobs.observe_daemon(cordoned, at(1))
    assert not any(isinstance(each, DeletePod) for each in cluster.decided(2))

    cluster.jobs.observe_job(an_ended_job(daemon=daemon.name, resource_version=2), at(3))
    (delete,) = [each for each in cluster.decided(4) if isinstance(each, DeletePod)]
    assert delete.pod.name == "pool-a"


def test_a_cordon_of_the_pools_own_is_lifted_when_the_daemon_is_wanted_again_and_an_admins_is_not() -> None:
    pool = a_pool(replicas=2)
    cluster = Cluster(pool)
    cluster.run_pod(pool, "pool-a", cordoned=True, cordoned_by="pool", annotated=True)
    cluster.run_pod(pool, "pool-b", cordoned=True)

    (lifted,) = [each for each in cluster.decided() if isinstance(each, UncordonDaemon)]

    assert lifted.pod.name == "pool-a"
    assert lifted.daemon.annotated


def test_a_daemon_that_is_draining_is_not_ready() -> None:
    pool = a_pool()
    cluster = Cluster(pool)
    cluster.run_pod(pool, "pool-a", state=DaemonState.DRAINING)

    (status,) = statuses(cluster.decided())

    assert (status.replicas, status.idle) == (1, 0)


def test_a_pod_that_is_gone_is_replaced_at_once() -> None:
    pool = a_pool()
    cluster = Cluster(pool)
    cluster.run_pod(pool, "pool-a")
    cluster.settle(*cluster.decided())
    assert created(cluster.decided(0.1)) == []

    cluster.pools.pod_deleted("pod-of-pool-a")
    cluster.pools.pod_deleted("pod-of-a-stranger")

    assert len(created(cluster.decided(0.2))) == 1


def test_waiting_jobs_make_an_autoscaled_pool_grow() -> None:
    pool = a_pool(autoscaling=scaling(5))
    cluster = Cluster(pool)
    first = cluster.decided()
    assert created(first) == []
    cluster.settle(*first)
    assert cluster.decided() == []
    for name in ("a", "b"):
        cluster.jobs.observe_job(a_job(name), at(1))

    assert created(cluster.decided(LOOK_SECONDS / 2)) == []  # the queue alone asks for one round a second
    assert cluster.pools.next_wake() == at(LOOK_SECONDS).monotonic
    (status, *_) = statuses(decisions := cluster.decided(LOOK_SECONDS))

    assert len(created(decisions)) == 2
    assert (status.queued, status.desired_replicas) == (2, 2)


def test_the_time_that_a_job_was_suspended_is_no_wait() -> None:
    pool = a_pool(autoscaling=scaling(50, target_wait=60))
    grown = []
    for suspended in (0.0, 59.0):
        cluster = Cluster(pool)
        cluster.run_pod(pool, "pool-a")
        cluster.jobs.observe_job(a_running_job("runs", daemon="pool-a"), at(0))
        cluster.decided()
        cluster.pools.run_ended(an_ended_job("before", daemon="pool-a", finished=10))
        for number in range(12):
            cluster.jobs.observe_job(a_job(f"job-{number}", suspended_seconds=suspended), at(59))
        grown.append(len(created(cluster.decided(59))))

    assert grown[0] > grown[1]


def test_how_long_runs_take_decides_how_many_daemons_the_queue_needs() -> None:
    def grown_after(seconds: float) -> int:
        pool = a_pool(autoscaling=scaling(50, target_wait=60))
        cluster = Cluster(pool)
        cluster.run_pod(pool, "pool-a")
        cluster.decided()
        cluster.pools.run_ended(an_ended_job("before", daemon="pool-a", finished=seconds))
        for number in range(12):
            cluster.jobs.observe_job(a_job(f"job-{number}"), at(0))
        return len(created(cluster.decided(LOOK_SECONDS)))

    assert grown_after(5) < grown_after(30) < grown_after(600)


def test_a_run_that_never_began_or_ran_elsewhere_teaches_nothing() -> None:
    pool = a_pool()
    cluster = Cluster(pool)
    cluster.run_pod(pool, "pool-a")
    cluster.jobs.observe_daemon(a_daemon("admins-own"), at(0))
    cluster.settle(*cluster.decided())

    cluster.pools.run_ended(a_job())
    cluster.pools.run_ended(a_running_job(daemon="pool-a"))
    cluster.pools.run_ended(replace(an_ended_job(daemon="pool-a"), started=None))
    cluster.pools.run_ended(an_ended_job(daemon="admins-own", finished=5))
    cluster.pools.run_ended(an_ended_job(daemon="unknown", finished=5))
    cluster.pools.use_image("another")

    assert all(status.mean_run_seconds is None for status in statuses(cluster.decided(9)))


def test_another_image_rolls_out() -> None:
    pool = a_pool()
    cluster = Cluster(pool)
    cluster.run_pod(pool, "pool-a")
    cluster.settle(*cluster.decided())

    cluster.pools.use_image("another")

    assert len(created(cluster.decided(9))) == 1


def test_what_came_of_a_creation_is_taken_into_account() -> None:
    pool = a_pool()
    cluster = Cluster(pool)
    (creation, *rest) = cluster.decided()
    assert isinstance(creation, CreatePod)
    cluster.pools.unanswered(pool.uid, creation.name)
    cluster.settle(creation, *rest)
    repeated = cluster.decided(1)
    assert created(repeated) == [creation.name]

    cluster.pools.refused(pool.uid, creation.name, Trouble("Forbidden", "exceeded quota"), at(1))
    cluster.settle(*repeated)
    refused = cluster.decided(2)
    assert created(refused) == []
    (condition,) = [each for each in statuses(refused)[-1].conditions if each.type == "Ready"]
    assert "exceeded quota" in condition.message


def test_a_pod_that_was_created_is_not_created_again_before_it_is_observed() -> None:
    pool = a_pool()
    cluster = Cluster(pool)
    (creation, *rest) = cluster.decided()
    assert isinstance(creation, CreatePod)
    made = PoolPod(NAMESPACE, creation.name, "uid-of-new", pool.uid, revision(pool, IMAGE), NOON)

    cluster.pools.observe_pod(made, 1)
    cluster.pools.created(pool.uid, creation.name)
    cluster.settle(creation, *rest)

    assert created(cluster.decided(1)) == []


def test_a_deleted_pool_is_released_when_its_last_pod_is_gone_and_then_forgotten() -> None:
    pool = a_pool(deleting=True)
    cluster = Cluster(pool)
    assert any(isinstance(each, RemoveFinalizer) for each in cluster.decided())

    cluster.pools.pool_deleted(pool.uid, at(1))

    assert cluster.decided(2) == []
    assert cluster.pools.next_wake() is None


def test_the_wait_of_jobs_is_explained_by_the_pool_that_starts_a_daemon_for_them() -> None:
    cluster = Cluster(a_pool(autoscaling=scaling(3)))
    job = a_job()
    cluster.jobs.observe_job(job, at(0))
    list(cluster.jobs.decide(at(1)))

    (explained,) = list(cluster.jobs.decide(at(60)))

    assert "Pool pool is starting a daemon" in str(explained)


def test_a_pod_whose_daemon_object_is_deleted_is_registered_anew_at_once() -> None:
    pool = a_pool()
    cluster = Cluster(pool)
    daemon = cluster.run_pod(pool, "pool-a")
    assert list(cluster.jobs.decide(at(0))) == []

    cluster.jobs.daemon_deleted(daemon.uid, at(1))

    (register,) = list(cluster.jobs.decide(at(1)))
    assert isinstance(register, RegisterDaemon)
    assert register.pod.name == "pool-a"
    (status, *_) = statuses(cluster.decided(1))
    assert (status.replicas, status.idle) == (1, 0)  # until it reports again

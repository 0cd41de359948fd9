"""Pools beside jobs and daemons: when their Pods are created, observed, replaced and deleted."""

from dataclasses import replace

from provisioner_operator.api.v1alpha1.enums import DaemonState
from provisioner_operator.api.v1alpha1.names import DRAIN_FINALIZER
from provisioner_operator.core.daemons.decisions import MarkOffline, RegisterDaemon
from provisioner_operator.core.jobs.timeouts import offline_after
from provisioner_operator.core.model.backoff import Refusal
from provisioner_operator.core.model.records import Daemon
from provisioner_operator.core.pools.decisions import (
    CordonDaemon,
    CreatePod,
    DeletePod,
    FindPods,
    RemoveFinalizer,
    UncordonDaemon,
)
from provisioner_operator.core.pools.members import PoolPod
from provisioner_operator.core.pools.pod_builder import revision
from support.builders.core import NAMESPACE, NOON, a_job, a_running_job, an_ended_job, at, next_heartbeat
from support.builders.observed_pools import IMAGE, ObservedPools, created, statuses
from support.builders.pools import a_pod, a_pool

OFFLINE_AFTER = offline_after(300)


def test_without_pools_there_is_nothing_to_decide() -> None:
    cluster = ObservedPools()

    assert cluster.decided() == []
    assert cluster.pools.next_wake() is None
    assert list(cluster.pools.pools()) == []


def test_a_new_pool_gets_its_pods_once() -> None:
    pool = a_pool(replicas=2)
    cluster = ObservedPools(pool)

    first = cluster.decided()

    assert len(created(first)) == 2
    assert cluster.decided(1) == []  # all of it is under way
    cluster.settle(*first)
    assert [each.status.desired_replicas for each in cluster.pools.pools()] == [2]


def test_a_version_of_a_pool_or_a_pod_that_is_known_is_no_news() -> None:
    pool = a_pool()
    cluster = ObservedPools(pool)
    pod = a_pod()

    assert not cluster.pools.observe_pool(pool, at(1))
    assert cluster.pools.observe_pod(pod, 2)
    assert not cluster.pools.observe_pod(pod, 2)
    assert not cluster.pools.observe_pod(pod, 1)


def test_members_are_the_pools_pods_with_their_daemons_and_jobs() -> None:
    pool, other = a_pool(replicas=3), a_pool("other", replicas=0)
    cluster = ObservedPools(pool, other)
    busy = cluster.run_pod(pool, "pool-a")
    cluster.run_pod(pool, "pool-b")
    cluster.pools.observe_pod(a_pod("pool-c", revision=revision(pool, IMAGE)), 1)  # has no daemon yet
    cluster.jobs.observe_job(a_running_job(daemon=busy.name), at(0))

    mine, others = statuses(cluster.decided())

    assert (mine.replicas, mine.busy, mine.idle) == (3, 1, 1)
    assert (others.replicas, others.busy) == (0, 0)


def test_the_start_of_a_job_that_may_outlast_its_pod_is_news_of_the_pool() -> None:
    pool = a_pool()
    cluster = ObservedPools(pool)
    daemon = cluster.run_pod(pool, "pool-a")
    long = a_running_job(daemon=daemon.name, active_deadline=7200)

    short = cluster.pools.run_started(long)

    assert short is not None
    assert (short.pool, short.job) == (pool, long)
    assert cluster.pools.run_started(long) is None
    assert cluster.pools.run_started(a_running_job(daemon="elsewhere", active_deadline=7200)) is None
    assert cluster.pools.run_started(a_job(active_deadline=7200)) is None
    cluster.pools.pool_deleted(pool.uid, at(0))
    assert cluster.pools.run_started(long) is None, "its pool is gone"


def miss_heartbeats(cluster: ObservedPools, daemon: Daemon, *times: float) -> Daemon:
    """Let the daemon's heartbeats be missed until these times, which fresh reads confirm."""
    for now in times:
        for decision in [*cluster.jobs.decide(at(now)), *cluster.jobs.decide(at(now))]:
            if isinstance(decision, MarkOffline):
                daemon = replace(daemon, state=DaemonState.OFFLINE, resource_version=daemon.resource_version + 1)
            cluster.jobs.observe_daemon(daemon, at(now), fresh=True)
            cluster.jobs.settled(decision, at(now))
    return daemon


def test_a_pod_whose_daemon_hangs_is_replaced_once_the_daemon_is_lost() -> None:
    pool = a_pool()
    cluster = ObservedPools(pool)
    daemon = cluster.run_pod(pool, "pool-a", lost_after=300)
    cluster.settle(*cluster.decided())

    daemon = miss_heartbeats(cluster, daemon, OFFLINE_AFTER, OFFLINE_AFTER, 299)
    cluster.settle(*(before := cluster.decided(299)), now=299)
    assert created(before) == []

    miss_heartbeats(cluster, daemon, 300)
    decided = cluster.decided(300)
    assert len(created(decided)) == 1
    assert [each.pod.name for each in decided if isinstance(each, CordonDaemon)] == ["pool-a"]


def test_a_daemon_that_has_not_reported_yet_does_not_hang() -> None:
    pool = a_pool()
    cluster = ObservedPools(pool)
    daemon = cluster.run_pod(pool, "pool-a", lost_after=300, heartbeat=None, state=DaemonState.OFFLINE)
    cluster.settle(*cluster.decided())

    miss_heartbeats(cluster, daemon, OFFLINE_AFTER, OFFLINE_AFTER, 600)

    assert created(cluster.decided(600)) == []


def test_a_pod_that_changes_its_owner_leaves_its_pool() -> None:
    pool, other = a_pool(), a_pool("other")
    cluster = ObservedPools(pool, other)
    cluster.run_pod(pool, "pool-a")

    cluster.pools.observe_pod(a_pod("pool-a", uid="pod-of-pool-a", pool_uid=other.uid), 2)

    mine, others = statuses(cluster.decided())
    assert (mine.replicas, others.replicas) == (0, 1)


def test_a_pod_whose_daemon_holds_a_job_is_cordoned_and_deleted_only_when_that_is_over() -> None:
    pool = a_pool(replicas=0)
    cluster = ObservedPools(pool)
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
    cluster = ObservedPools(pool)
    cluster.run_pod(pool, "pool-a", cordoned=True, cordoned_by="pool", annotated=True)
    cluster.run_pod(pool, "pool-b", cordoned=True)

    (lifted,) = [each for each in cluster.decided() if isinstance(each, UncordonDaemon)]

    assert lifted.pod.name == "pool-a"
    assert lifted.daemon.annotated


def test_a_daemon_that_is_draining_is_not_ready() -> None:
    pool = a_pool()
    cluster = ObservedPools(pool)
    cluster.run_pod(pool, "pool-a", state=DaemonState.DRAINING)

    (status,) = statuses(cluster.decided())

    assert (status.replicas, status.idle) == (1, 0)


def test_a_pod_that_is_gone_is_replaced_at_once() -> None:
    pool = a_pool()
    cluster = ObservedPools(pool)
    cluster.run_pod(pool, "pool-a")
    cluster.settle(*cluster.decided())
    assert created(cluster.decided(0.1)) == []

    cluster.pools.pod_deleted("pod-of-pool-a")
    cluster.pools.pod_deleted("pod-of-a-stranger")

    assert len(created(cluster.decided(0.2))) == 1


def test_what_is_observed_late_of_a_deleted_pool_or_pod_does_not_bring_it_back() -> None:
    pool = a_pool()
    cluster = ObservedPools(pool)
    cluster.run_pod(pool, "pool-a")
    pod = a_pod("pool-a", uid="pod-of-pool-a")
    cluster.pools.pod_deleted(pod.uid)
    assert not cluster.pools.observe_pod(pod, 1)
    cluster.pools.pool_deleted(pool.uid, at(1))

    assert not cluster.pools.observe_pool(replace(pool, resource_version=9), at(1))

    assert cluster.decided(2) == []


def test_another_image_rolls_out() -> None:
    pool = a_pool()
    cluster = ObservedPools(pool)
    cluster.run_pod(pool, "pool-a")
    cluster.settle(*cluster.decided())

    cluster.pools.use_image("another")

    assert len(created(cluster.decided(9))) == 1


def test_what_came_of_a_creation_is_taken_into_account() -> None:
    pool = a_pool()
    cluster = ObservedPools(pool)
    (creation, *rest) = cluster.decided()
    assert isinstance(creation, CreatePod)
    cluster.settle(creation, *rest)
    repeated = cluster.decided(1)
    assert created(repeated) == [creation.name]

    (again, *_) = repeated
    assert cluster.pools.refused(again, Refusal("Forbidden", "exceeded quota"), at(1))
    cluster.settle(*repeated)
    refused = cluster.decided(2)
    assert created(refused) == []
    (condition,) = [each for each in statuses(refused)[-1].conditions if each.type == "Ready"]
    assert "exceeded quota" in condition.message


def test_a_pod_that_was_created_is_not_created_again_before_it_is_observed() -> None:
    pool = a_pool()
    cluster = ObservedPools(pool)
    (creation, *rest) = cluster.decided()
    assert isinstance(creation, CreatePod)
    made = PoolPod(NAMESPACE, creation.name, "uid-of-new", pool.uid, revision(pool, IMAGE), NOON)

    cluster.pools.observe_pod(made, 1)
    cluster.pools.created(pool.uid, creation.name)
    cluster.settle(creation, *rest)

    assert created(cluster.decided(1)) == []


def test_a_deleted_pool_is_released_when_its_last_pod_is_gone_and_then_forgotten() -> None:
    pool = a_pool(deleting=True)
    cluster = ObservedPools(pool)
    assert any(isinstance(each, RemoveFinalizer) for each in cluster.decided())

    cluster.pools.pool_deleted(pool.uid, at(1))

    assert cluster.decided(2) == []
    assert cluster.pools.next_wake() is None


def test_a_pod_whose_daemon_object_is_deleted_is_registered_anew_at_once() -> None:
    pool = a_pool()
    cluster = ObservedPools(pool)
    daemon = cluster.run_pod(pool, "pool-a")
    assert list(cluster.jobs.decide(at(0))) == []

    cluster.jobs.daemon_deleted(daemon.uid, at(1))

    (register,) = list(cluster.jobs.decide(at(1)))
    assert isinstance(register, RegisterDaemon)
    assert register.pod.name == "pool-a"
    (status, *_) = statuses(cluster.decided(1))
    assert (status.replicas, status.idle) == (1, 0)  # until it reports again


def test_a_new_leader_lists_the_pods_before_it_believes_that_one_is_missing() -> None:
    pool = a_pool(replicas=1)
    cluster = ObservedPools(pool, a_pool("other", uid="uid-of-other", replicas=1))
    cluster.pools.leadership_gained()
    (search,) = cluster.decided()
    assert search == FindPods(pool)
    cluster.settle(search)
    assert cluster.decided(0.1) == [FindPods(pool)], "the list failed"

    cluster.run_pod(pool, "pool-a")
    cluster.pools.pods_found(NAMESPACE)
    cluster.settle(search)

    assert [each.pool.name for each in cluster.decided(0.2) if isinstance(each, CreatePod)] == ["other"]


def test_a_new_leader_releases_no_pool_whose_pods_it_has_not_listed() -> None:
    pool = a_pool(deleting=True, finalizers=(DRAIN_FINALIZER,))
    cluster = ObservedPools(pool)
    cluster.pools.leadership_gained()
    (search,) = cluster.decided()
    assert isinstance(search, FindPods)

    cluster.pools.pods_found(NAMESPACE)
    cluster.settle(search)

    assert RemoveFinalizer(pool) in cluster.decided(0.1)


def test_a_pod_that_is_gone_leaves_the_others_and_a_pool_that_is_not_known_leaves_nothing() -> None:
    pool = a_pool(replicas=2)
    cluster = ObservedPools(pool)
    cluster.run_pod(pool, "pool-a")
    cluster.run_pod(pool, "pool-b")

    cluster.pools.pod_deleted("pod-of-pool-a")
    cluster.pools.pool_deleted("uid-of-nobody", at(0))

    assert cluster.pools.pod_uids() == {"pod-of-pool-b": NAMESPACE}
    (status,) = statuses(cluster.decided())
    assert status.replicas == 1

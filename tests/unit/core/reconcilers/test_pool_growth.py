"""Pools that grow with the queue: how soon, by how much, and what the end of a run teaches them."""

from dataclasses import replace

from provisioner_operator.core.reconcilers.pools import LOOK_SECONDS
from support.builders.core import a_daemon, a_job, a_running_job, an_ended_job, at
from support.builders.observed_pools import ObservedPools, created, statuses
from support.builders.pools import a_pool, scaling


def test_waiting_jobs_make_an_autoscaled_pool_grow() -> None:
    pool = a_pool(autoscaling=scaling(5))
    cluster = ObservedPools(pool)
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
        cluster = ObservedPools(pool)
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
        cluster = ObservedPools(pool)
        cluster.run_pod(pool, "pool-a")
        cluster.decided()
        cluster.pools.run_ended(an_ended_job("before", daemon="pool-a", finished=seconds))
        for number in range(12):
            cluster.jobs.observe_job(a_job(f"job-{number}"), at(0))
        return len(created(cluster.decided(LOOK_SECONDS)))

    assert grown_after(5) < grown_after(30) < grown_after(600)


def test_a_run_that_never_began_or_ran_elsewhere_teaches_nothing() -> None:
    pool = a_pool()
    cluster = ObservedPools(pool)
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


def test_the_wait_of_jobs_is_explained_by_the_pool_that_starts_a_daemon_for_them() -> None:
    cluster = ObservedPools(a_pool(autoscaling=scaling(3)))
    job = a_job()
    cluster.jobs.observe_job(job, at(0))
    list(cluster.jobs.decide(at(1)))

    (explained,) = list(cluster.jobs.decide(at(60)))

    assert "Pool pool is starting a daemon" in str(explained)

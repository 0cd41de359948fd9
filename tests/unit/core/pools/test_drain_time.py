"""The time that runs get when a Pod of a pool is terminated, and the pools for whose jobs it is too short."""

from dataclasses import replace

import pytest

from provisioner_operator.core.pools.drain_time import ShortDrains, drain_seconds
from provisioner_operator.core.pools.records import PodTemplate, Pool
from support.builders.core import a_job
from support.builders.pools import a_pool


def a_pool_with(grace: int, cancel_grace: int = 180) -> Pool:
    return replace(a_pool(template=PodTemplate(termination_grace=grace)), cancel_grace=cancel_grace)


@pytest.mark.parametrize(
    ("grace", "cancel_grace", "drain"), [(4000, 180, 3790), (211, 180, 1), (210, 180, 0), (30, 180, 0), (60, 0, 30)]
)
def test_runs_are_interrupted_in_time_for_a_cancel_and_its_report(grace: int, cancel_grace: int, drain: int) -> None:
    assert drain_seconds(a_pool_with(grace, cancel_grace)) == drain


def test_a_job_of_the_default_deadline_fits_a_pool_of_the_default_grace() -> None:
    assert ShortDrains().started(a_job(), a_pool()) is None


def test_a_job_that_may_run_longer_than_its_pod_drains_is_news_with_the_grace_that_it_needs() -> None:
    short = ShortDrains().started(a_job(active_deadline=3791), a_pool_with(4000))
    assert short is not None
    assert short.needed == 4001
    assert drain_seconds(a_pool_with(short.needed)) == 3791


def test_a_pool_is_news_again_only_for_a_longer_deadline_or_another_grace() -> None:
    drains, pool = ShortDrains(), a_pool_with(4000)
    two_hours, three_hours = a_job(active_deadline=7200), a_job(active_deadline=10800)
    assert drains.started(two_hours, pool) is not None
    assert drains.started(two_hours, pool) is None
    assert drains.started(three_hours, pool) is not None
    assert drains.started(two_hours, pool) is None
    assert drains.started(two_hours, a_pool_with(5000)) is not None
    drains.pool_deleted(pool.uid)
    assert drains.started(two_hours, a_pool_with(5000)) is not None


def test_pools_are_news_each_for_itself() -> None:
    drains, job = ShortDrains(), a_job(active_deadline=7200)
    assert drains.started(job, a_pool()) is not None
    assert drains.started(job, replace(a_pool(), uid="another")) is not None

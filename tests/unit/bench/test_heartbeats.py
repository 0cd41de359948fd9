"""The share of an installation's CPU that renewals of Leases would save, from what each write costs."""

import pytest

from bench.writes.heartbeats import heartbeats_of_a_job, saved_share


def test_600_daemons_of_which_a_sixth_is_busy_report_eighteen_times_a_second() -> None:
    assert heartbeats_of_a_job() == pytest.approx(100 / 10 + 500 / 60)


def test_renewals_that_cost_nothing_save_all_heartbeats_but_two_patches_of_each_run() -> None:
    heartbeats = heartbeats_of_a_job()
    assert saved_share(patch=4, renewal=0, life=0, others=0) == pytest.approx((heartbeats - 2) / heartbeats)
    assert saved_share(patch=4, renewal=0, life=4 * heartbeats, others=0) == pytest.approx(
        (heartbeats - 2) / heartbeats / 2
    )


def test_renewals_as_dear_as_patches_save_nothing() -> None:
    assert saved_share(patch=4, renewal=4, life=20, others=2) < 0

"""Estimates of the wait, from the duration of recent runs."""

import heapq
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.core.model.records import Daemon, Job
from provisioner_operator.core.views.snapshot import Snapshot
from provisioner_operator.core.views.wait_estimate import estimate, observed_runs
from support.builders.core import NOON, a_daemon, a_job, a_running_job, an_ended_job

HEARTBEAT = "2027-01-15T08:00:00+00:00"


def daemon(name: str = "daemon", **fields: Any) -> Daemon:
    return replace(a_daemon(name, **fields), heartbeat=HEARTBEAT)


def test_a_free_daemon_starts_the_first_at_once() -> None:
    job = a_job()
    guess = estimate(job, Snapshot([job], [daemon()], now=NOON), [an_ended_job("before", finished=30)])
    assert guess is not None
    assert (guess.seconds, guess.mean_run, guess.runs) == (0, 30, 1)


def test_the_wait_is_what_the_running_and_those_ahead_take() -> None:
    running = a_running_job("runs")
    first, second = a_job("first", created=1), a_job("second", created=2)
    snapshot = Snapshot([running, first, second], [daemon(runs=(running,))], now=NOON + 10)
    guess = estimate(second, snapshot, [an_ended_job("before", finished=30)])
    assert guess is not None
    assert guess.seconds == 20 + 30


def test_a_run_that_takes_longer_than_others_is_expected_to_take_as_long_again() -> None:
    running, job = a_running_job("runs"), a_job("waits", created=1)
    snapshot = Snapshot([running, job], [daemon(runs=(running,), lost_after=3600)], now=NOON + 200)
    guess = estimate(job, snapshot, [an_ended_job("before", finished=30)])
    assert guess is not None
    assert guess.seconds == 200


def test_jobs_of_another_demand_that_the_same_daemons_run_go_first_too() -> None:
    other, job = a_job("other", tags={"a": "1"}), a_job("job", created=1, tags={"a": "1", "b": "2"})
    snapshot = Snapshot([other, job], [daemon(tags={"a": "1", "b": "2"})], now=NOON + 10)
    guess = estimate(job, snapshot, [an_ended_job("before", finished=30)])
    assert guess is not None
    assert guess.seconds == 30


def test_there_is_no_estimate_where_nothing_is_known() -> None:
    job = a_job()
    assert estimate(job, Snapshot([job], [daemon()], now=NOON), []) is None
    assert estimate(job, Snapshot([job], [], now=NOON), [an_ended_job(finished=30)]) is None
    assert estimate(a_job("else"), Snapshot([job], [daemon()], now=NOON), [an_ended_job(finished=30)]) is None


def test_recent_runs_count_more() -> None:
    mean, count = observed_runs([an_ended_job("a", finished=10), an_ended_job("b", finished=60)])
    assert count == 2
    assert mean == pytest.approx(20)


def test_a_run_that_never_started_is_not_counted() -> None:
    never = a_job("never", phase=Phase.CANCELED, finished=NOON + 25)
    assert observed_runs([never, an_ended_job(finished=10)]) == (10, 1)


def test_a_slot_that_no_job_accounts_for_is_free_soon() -> None:
    job, over = a_job("waits", created=1), a_running_job("over")
    snapshot = Snapshot([job], [daemon(runs=(over,))], now=NOON + 10)
    guess = estimate(job, snapshot, [an_ended_job("before", finished=30)])
    assert guess is not None
    assert guess.seconds == 1


DAEMONS = st.tuples(st.integers(1, 3), st.lists(st.integers(-500, 0), max_size=4), st.integers(0, 2))
"""Number of slots, starts of the runs of known jobs, and number of other runs."""


@given(st.lists(DAEMONS, min_size=1, max_size=4), st.integers(1, 30))
def test_each_slot_takes_the_next_job_when_its_run_ends(
    daemons: list[tuple[int, list[int], int]], waiting: int
) -> None:
    running: list[Job] = []
    fleet: list[Daemon] = []
    free_at: list[float] = []
    for at, (slots, starts, others) in enumerate(daemons):
        runs = [a_running_job(f"r-{at}-{n}", daemon=f"d-{at}", started=start) for n, start in enumerate(starts)]
        unknown = [a_running_job(f"o-{at}-{n}", daemon=f"d-{at}") for n in range(others)]
        running += runs
        fleet.append(daemon(f"d-{at}", capacity=slots, runs=(*runs, *unknown)))
        rests = [max(1, 30 + start if start > -30 else -start) for start in starts] + [1] * others
        free_at += rests[:slots] + [0] * (slots - len(rests))
    queue = [a_job(f"q-{at}") for at in range(waiting)]

    elsewhere = an_ended_job("elsewhere", daemon="gone", finished=400)
    ended = [elsewhere, an_ended_job(daemon="d-0", finished=30)]
    guess = estimate(queue[-1], Snapshot([*running, *queue], fleet, now=NOON), ended)

    heapq.heapify(free_at)
    for _ in range(waiting - 1):
        heapq.heapreplace(free_at, free_at[0] + 30)
    assert guess is not None
    assert (guess.seconds, guess.mean_run, guess.runs) == (free_at[0], 30, 1)

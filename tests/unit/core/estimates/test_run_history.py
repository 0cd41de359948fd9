"""Runs that are alike, and how long they took."""

from typing import Any

from provisioner_operator.api.v1alpha1.enums import Phase, Transition
from provisioner_operator.core.estimates.run_history import KEPT_KINDS, RunHistory
from provisioner_operator.core.estimates.run_length import estimate_run
from provisioner_operator.core.model.records import Job
from support.builders.core import NOON, a_job, a_running_job, an_ended_job

START = Transition.START


def runs(count: int, seconds: float, **fields: Any) -> list[Job]:
    """Return so many runs of about this duration."""
    return [an_ended_job(f"{seconds}-{at}", finished=seconds, **fields) for at in range(count)]


def typical(history: RunHistory, job: Job) -> float | None:
    found = history.nearest(job)
    return None if found is None else found.quantile(0.5)


def test_runs_of_the_same_template_and_transition_are_the_most_alike() -> None:
    history = RunHistory([*runs(5, 10, template="dev", transition=START), *runs(9, 99, template="gpu")])
    assert typical(history, a_job(template="dev", transition=START)) == 10
    assert typical(history, a_job(template="gpu")) == 99


def test_else_those_of_the_same_demand_and_then_those_of_the_namespace() -> None:
    history = RunHistory([*runs(4, 10, template="dev", tags={"a": "1"}), *runs(6, 20, template="gpu", tags={"a": "1"})])
    assert typical(history, a_job(template="dev", tags={"a": "1"})) == 20
    assert typical(history, a_job(template="new", tags={"b": "2"})) == 20
    assert typical(history, a_job(namespace="other")) is None
    assert history.like(a_job(template="new", tags={"b": "2"})) is None


def test_jobs_without_a_template_are_alike_if_their_demands_are() -> None:
    history = RunHistory([*runs(5, 10, tags={"a": "1"}), *runs(5, 20, tags={"b": "1"})])
    assert typical(history, a_job(tags={"b": "1"})) == 20


def test_canceled_runs_and_those_that_never_started_do_not_count() -> None:
    never = a_job("never", phase=Phase.FAILED, finished=NOON)
    history = RunHistory([*runs(9, 10, phase=Phase.CANCELED), *[never] * 9])
    assert typical(history, a_job()) is None
    assert len(history.recent("acme")) == 18
    assert not history.recent("other")


def test_the_runs_that_ended_last_are_kept() -> None:
    late = [an_ended_job(f"late-{at}", started=1000, finished=1000 + 50) for at in range(200)]
    assert typical(RunHistory([*late, *runs(300, 10)]), a_job()) == 50


def test_kinds_of_which_none_ran_for_the_longest_time_are_forgotten() -> None:
    history = RunHistory(runs(5, 10, namespace="first"))
    for at in range(KEPT_KINDS):
        history.observe_end(an_ended_job("other", namespace=f"n-{at}", finished=1))
    assert typical(history, a_job(namespace="first")) is None


def test_a_run_is_compared_with_those_like_it() -> None:
    history = RunHistory(runs(99, 10, template="dev"))
    found = estimate_run(a_running_job(template="dev"), history, NOON + 10)
    assert found is not None
    assert (found.p50, found.p90, found.runs, found.is_overlong) == (10, 10, 99, False)
    late = estimate_run(a_running_job(template="dev"), history, NOON + 11)
    assert late is not None
    assert late.is_overlong


def test_nothing_is_said_of_what_does_not_run_or_has_no_like() -> None:
    history = RunHistory(runs(99, 10, template="dev"))
    assert estimate_run(a_job(template="dev"), history, NOON) is None
    assert estimate_run(an_ended_job(template="dev", finished=5), history, NOON) is None
    assert estimate_run(a_running_job(tags={"b": "1"}), history, NOON) is None

"""The gauge of runs that are longer than nearly all of those like them."""

from collections.abc import Iterable

import pytest

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.controller import clock
from provisioner_operator.controller.telemetry.overlong_runs import OverlongRuns
from provisioner_operator.core.model.records import Job
from support.builders.core import a_job, a_running_job, an_ended_job, at
from support.builders.manifests import a_job_manifest
from support.builders.stored import stored


@pytest.fixture(autouse=True)
def _at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "read", lambda: at(60))


def counted(runs: OverlongRuns) -> dict[str, float]:
    return {sample.labels["namespace"]: sample.value for metric in runs.collect() for sample in metric.samples}


def some_runs(jobs: Iterable[Job] = (), *, leads: bool = True) -> OverlongRuns:
    found = list(jobs)
    return OverlongRuns(lambda: found, lambda: leads)


def test_a_run_counts_once_it_is_longer_than_99_of_those_like_it() -> None:
    usual = a_running_job("usual", started=50, phase=Phase.CANCELING)
    runs = some_runs([a_running_job("late"), usual, a_job("waits"), a_running_job("else", namespace="other")])
    for number in range(99):
        runs.ended(an_ended_job(f"past-{number}", finished=30))
    assert counted(runs) == {"acme": 1, "other": 0}


def test_only_the_leader_counts() -> None:
    assert list(some_runs([a_running_job()], leads=False).collect()) == []


def test_jobs_that_had_ended_before_the_start_are_learned_from_and_the_unreadable_ignored() -> None:
    body = stored(
        a_job_manifest("past"),
        status={"phase": "Completed", "startedAt": "2027-01-15T08:00:00Z", "finishedAt": "2027-01-15T08:00:30Z"},
    )
    late = a_running_job("late", provisioner="echo")
    runs = some_runs([late])
    runs.found({**body, "spec": {"provisioner": "unknown"}})
    for _ in range(99):
        runs.found(body)
    assert counted(runs) == {"acme": 1}

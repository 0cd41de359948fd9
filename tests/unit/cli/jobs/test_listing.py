"""The fields `queue` and `run` that lists for programs add to jobs that wait or run."""

from dataclasses import replace

from provisioner_operator.cli.jobs.listing import with_forecast
from provisioner_operator.cli.view.loading import JobView
from provisioner_operator.core.estimates.run_history import RunHistory
from provisioner_operator.core.model.records import Job
from provisioner_operator.core.views.snapshot import Snapshot
from provisioner_operator.core.views.wait_estimate import Forecast
from support.builders.core import NOON, a_daemon, a_job, a_running_job, an_ended_job

BODY = {"kind": "ProvisionerJob"}


def listed(job: Job, snapshot: Snapshot | None, history: RunHistory | None = None, *, field: str = "queue") -> object:
    forecast = None if snapshot is None or history is None else Forecast(snapshot, history)
    return dict(with_forecast(BODY, JobView(job, None, None, None), snapshot, forecast)).get(field)


def test_a_pending_job_has_its_place_and_reason() -> None:
    job = a_job(tags={"a": "1"})
    assert listed(job, Snapshot([job], now=NOON + 10)) == {
        "position": 1,
        "size": 1,
        "reason": "NoMatchingDaemon",
        "waitedSeconds": 10,
        "estimate": None,
    }


def test_a_job_in_the_queue_has_an_estimate_of_its_start() -> None:
    running, job = a_running_job("runs"), a_job("waits")
    daemon = replace(a_daemon(runs=(running,)), heartbeat="2027-01-15T08:00:00+00:00")
    history = RunHistory(an_ended_job(f"past-{at}", finished=30) for at in range(50))
    queue = listed(job, Snapshot([running, job], [daemon], now=NOON + 10), history)
    assert isinstance(queue, dict)
    assert queue["estimate"] == {"p50Seconds": 20, "p90Seconds": 20, "runs": 50}


def test_a_running_job_is_compared_with_those_like_it() -> None:
    job = a_running_job("runs")
    history = RunHistory(an_ended_job(f"past-{at}", finished=30) for at in range(99))
    found = listed(job, Snapshot([job], now=NOON + 31), history, field="run")
    assert found == {"p50Seconds": 30, "p90Seconds": 30, "runs": 99, "overlong": True}
    assert listed(job, Snapshot([job], now=NOON), RunHistory(), field="run") is None


def test_a_suspended_job_has_no_place() -> None:
    job = a_job(suspend=True, suspended_at=NOON)
    queue = listed(job, Snapshot([job], now=NOON + 10), RunHistory())
    assert queue == {"position": None, "size": None, "reason": "Suspended", "waitedSeconds": 0, "estimate": None}


def test_other_jobs_have_no_such_field() -> None:
    job = a_running_job()
    assert listed(job, Snapshot([job], now=NOON)) is None
    assert listed(a_job(), None) is None

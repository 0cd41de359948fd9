"""Lines of the list of jobs: their order, the newest, and their summary."""

from dataclasses import replace

import pytest

from provisioner_operator.cli.errors import UsageError
from provisioner_operator.cli.jobs.table import JobRow, columns, job_row, newest, sorted_rows, summary
from provisioner_operator.cli.view.loading import JobView
from provisioner_operator.core.estimates.run_history import RunHistory
from provisioner_operator.core.model.records import Job
from provisioner_operator.core.views.snapshot import Snapshot
from provisioner_operator.core.views.wait_estimate import Forecast
from support.builders.core import NOON, a_daemon, a_job, a_running_job, an_ended_job


def a_row(job: Job, snapshot: Snapshot | None = None, now: float = NOON + 60) -> JobRow:
    return job_row(JobView(job, None, None, None), snapshot, now)


def rows(*jobs: Job) -> list[JobRow]:
    snapshot = Snapshot(jobs, now=NOON + 60)
    return [a_row(job, snapshot) for job in jobs]


def names(found: list[JobRow]) -> list[str]:
    return [row.view.job.name for row in found]


def cells(row: JobRow) -> dict[str, str]:
    found = {column.title: column.value(row) for column in columns(namespaced=True)}
    return {title: value if isinstance(value, str) else value.text if value else "" for title, value in found.items()}


def test_a_pending_job_has_its_reason_and_place_from_the_snapshot() -> None:
    (row,) = rows(a_job(tags={"a": "1"}, reason="DaemonsBusy"))
    assert (cells(row)["Reason"], cells(row)["Queue"], cells(row)["Waited"]) == ("NoMatchingDaemon", "1/1", "1m")


def test_without_a_snapshot_the_reason_is_that_of_the_status() -> None:
    row = a_row(a_job(reason="DaemonsBusy"))
    assert (cells(row)["Reason"], cells(row)["Queue"]) == ("DaemonsBusy", "")


def test_a_reason_that_repeats_the_phase_is_left_out() -> None:
    row = a_row(an_ended_job(reason="Completed", finished=30))
    assert (cells(row)["Status"], cells(row)["Reason"], cells(row)["Ran"]) == ("Completed", "", "30s")


def past(count: int, seconds: float) -> RunHistory:
    return RunHistory(an_ended_job(f"past-{at}", finished=seconds) for at in range(count))


def test_a_job_in_the_queue_shows_when_it_starts_or_that_this_is_unknown() -> None:
    running, job, asleep = a_running_job("runs"), a_job("waits"), a_job("asleep", suspend=True)
    daemon = replace(a_daemon(runs=(running,)), heartbeat="2027-01-15T08:00:00+00:00")
    snapshot = Snapshot([running, job, asleep], [daemon], now=NOON + 10)

    def starts_in(of: Job, history: RunHistory) -> str:
        view = JobView(of, None, None, None)
        return cells(job_row(view, snapshot, NOON + 10, forecast=Forecast(snapshot, history)))["Starts in"]

    assert starts_in(job, past(50, 30)) == "20s/20s"
    assert starts_in(job, past(4, 30)) == "unknown"
    assert starts_in(asleep, past(50, 30)) == ""
    assert cells(a_row(job, snapshot))["Starts in"] == ""


def test_a_run_that_is_longer_than_nearly_all_is_marked() -> None:
    job = a_running_job("runs")
    snapshot = Snapshot([job], now=NOON + 60)
    view = JobView(job, None, None, None)
    late = cells(job_row(view, snapshot, NOON + 60, forecast=Forecast(snapshot, past(99, 30))))
    assert (late["Reason"], late["Typical run"]) == ("Overlong", "30s/30s of 99")
    usual = cells(job_row(view, snapshot, NOON + 60, forecast=Forecast(snapshot, past(99, 70))))
    assert (usual["Reason"], usual["Typical run"]) == ("", "1m10s/1m10s of 99")
    assert cells(job_row(view, snapshot, NOON + 60, forecast=Forecast(snapshot, past(1, 30))))["Typical run"] == ""


@pytest.mark.parametrize(
    ("sorting", "expected"),
    [
        ("created", ["job-10", "job-9", "runs"]),
        ("name", ["job-9", "job-10", "runs"]),
        ("-name", ["runs", "job-10", "job-9"]),
        ("status", ["job-9", "job-10", "runs"]),
        ("priority", ["job-9", "runs", "job-10"]),
        ("queue", ["job-10", "job-9", "runs"]),
        ("-ran", ["runs", "job-10", "job-9"]),
        ("waited", ["runs", "job-9", "job-10"]),
    ],
)
def test_lines_are_sorted_and_equals_by_natural_name(sorting: str, expected: list[str]) -> None:
    found = rows(a_running_job("runs", created=20, started=25), a_job("job-10", priority=1), a_job("job-9", created=10))
    assert names(sorted_rows(found, sorting)) == expected


def test_an_unknown_sort_key_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match=r"no sort key 'size'\. Choose from: created, name"):
        sorted_rows([], "size")


def test_the_newest_keep_their_order() -> None:
    found = rows(a_job("new", created=9), a_job("old"), a_job("newer", created=10))
    assert names(newest(found, 2)) == ["new", "newer"]
    assert newest(found, 0) == found


def test_the_summary_counts_each_phase() -> None:
    assert summary(rows(a_job("a"), a_job("b"), a_running_job("c"))) == "3 jobs: 2 Pending, 1 Running"
    assert summary([]) == "no jobs"

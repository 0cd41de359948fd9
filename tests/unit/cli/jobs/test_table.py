"""Lines of the list of jobs: their order, the newest, and their summary."""

import pytest

from provisioner_operator.cli.errors import UsageError
from provisioner_operator.cli.jobs.table import JobRow, columns, job_row, newest, sorted_rows, summary
from provisioner_operator.cli.view.loading import JobView
from provisioner_operator.core.model.records import Job
from provisioner_operator.core.views.snapshot import Snapshot
from support.builders.core import NOON, a_job, a_running_job, an_ended_job


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

"""Lines of the list of daemons: their state, their jobs, and jobs blocked by tags."""

from dataclasses import replace
from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import DaemonState
from provisioner_operator.cli.daemons import table
from provisioner_operator.cli.daemons.table import DaemonRow, daemon_row
from provisioner_operator.cli.output.table import chosen
from provisioner_operator.core.model.records import Daemon, Job
from provisioner_operator.core.views.snapshot import Snapshot
from provisioner_operator.kube.object_states import daemon_report
from support.builders.core import NOON, a_daemon, a_job, a_running_job

HEARTBEAT = "2027-01-15T08:00:00+00:00"


def a_row(daemon: Daemon, *jobs: Job, now: float = NOON, **status: Any) -> DaemonRow:
    daemon = replace(daemon, heartbeat=HEARTBEAT)
    snapshot = Snapshot(jobs, [daemon], now=now)
    body = {"metadata": {"name": daemon.name}, "status": status}
    return daemon_row(daemon, daemon_report(body), snapshot, table.blocked_by_tags(snapshot), age=0.0)


@pytest.mark.parametrize(
    ("reported", "age", "state"),
    [
        (DaemonState.IDLE, 0, "Idle"),
        (DaemonState.DRAINING, 3600, "Draining"),
        (DaemonState.OFFLINE, 0, "Offline"),
        (DaemonState.IDLE, 3600, "Offline"),
    ],
)
def test_the_state_is_the_reported_one_while_the_heartbeat_is_recent(
    reported: DaemonState, age: float, state: str
) -> None:
    assert a_row(a_daemon(state=reported), now=NOON + age).state == state


@pytest.mark.parametrize(("age", "state"), [(0, "Draining"), (3600, "Offline")])
def test_a_daemon_that_is_being_deleted_drains_as_long_as_it_reports(age: float, state: str) -> None:
    assert a_row(a_daemon(state=DaemonState.BUSY, deleting=True), now=NOON + age).state == state


def test_a_daemon_with_a_job_is_busy_and_its_jobs_are_named_once() -> None:
    running = a_running_job("runs")
    row = a_row(a_daemon(), running, currentJobs=[{"name": "runs"}, {"name": "ends"}])
    assert (row.state, row.used, row.jobs) == ("Busy", 1, ("runs", "ends"))


def test_jobs_are_counted_that_only_tags_keep_from_their_nearest_daemon() -> None:
    near = a_daemon("near", tags={"a": "1", "b": "2"})
    far = a_daemon("far", tags={"c": "1"})
    jobs = [a_job(f"job-{number}", tags={"a": "1", "b": "3"}) for number in range(2)]
    snapshot = Snapshot(jobs, [replace(each, heartbeat=HEARTBEAT) for each in (near, far)], now=NOON)
    assert table.blocked_by_tags(snapshot) == {("acme", "near"): 2}


def test_the_worst_daemon_comes_first() -> None:
    rows = [
        a_row(a_daemon("good")),
        a_row(a_daemon("failed-once"), failedJobs=1),
        a_row(a_daemon("fails"), consecutiveFailures=3),
    ]
    assert [row.daemon.name for row in sorted(rows, key=table.by_failures)] == ["fails", "failed-once", "good"]
    assert [row.daemon.name for row in sorted(rows, key=table.by_name)] == ["failed-once", "fails", "good"]


def test_daemons_are_selected_by_state_and_cordon() -> None:
    idle, cordoned = a_row(a_daemon("idle")), a_row(a_daemon("cordoned", cordoned=True))
    assert table.rows_of_states([idle, cordoned], frozenset({"cordoned"})) == [cordoned]
    assert table.rows_of_states([idle, cordoned], frozenset({"idle"})) == [idle, cordoned]


def test_the_former_name_of_a_column_is_accepted() -> None:
    columns = table.columns(namespaced=False)
    assert [column.title for column in chosen(columns, ["mismatches"], wide=False)] == ["Blocked by tags"]
    assert chosen(columns, ["blocked-by-tags"], wide=False) == chosen(columns, ["mismatches"], wide=False)

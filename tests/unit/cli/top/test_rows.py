"""Rows of the tables of `top`."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.cli.api.watch_feed import Listed
from provisioner_operator.cli.top.rows import Row, Tables, tables
from provisioner_operator.cli.view.live_snapshot import LiveSnapshot
from provisioner_operator.core.estimates.run_history import RunHistory
from provisioner_operator.kube.parsing import parse_job
from support.builders.core import NOON
from support.builders.manifests import a_daemon_manifest, a_job_manifest, an_assignment
from support.builders.stored import stored


def a_job(name: str, *, status: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    return stored(a_job_manifest(name, workspaceRef={"name": name}, **spec), status=status)


RUNNING = {"phase": "Running", "assignment": an_assignment("d1"), "startedAt": "2027-01-15T08:00:00Z", "stage": "apply"}


def shown(*, wanted: str = "", history: RunHistory | None = None, now: float = NOON + 15) -> Tables:
    live = LiveSnapshot()
    live.jobs.take(
        Listed((a_job("waits"), a_job("runs", status=RUNNING), a_job("stuck", tags={"a": "1"}), a_job("waits-2")))
    )
    reported = {"state": "Idle", "lastHeartbeatTime": "2027-01-15T08:00:00Z", "consecutiveFailures": 4}
    live.daemons.take(Listed((stored(a_daemon_manifest("d1"), status=reported),)))
    live.pools.take(Listed(()))
    return tables(live, now, wanted=wanted, history=history or RunHistory(), namespaced=False)


def texts(rows: Sequence[Row]) -> list[list[str]]:
    return [[cell.plain for cell in row.cells] for row in rows]


def test_stuck_jobs_come_first_then_running_ones_then_the_queue() -> None:
    found = shown()
    assert [cells[0] for cells in texts(found.jobs)] == ["stuck", "runs", "waits", "waits-2"]
    assert found.summary == "3 pending, 1 stuck, 1 running, 1 of 1 daemon online"


def test_each_demand_is_a_line_of_the_queue() -> None:
    rows = texts(shown().queue)
    assert [(cells[2], cells[4]) for cells in rows] == [("1", "NoMatchingDaemon"), ("2", "DaemonsBusy")]


def test_a_run_is_drawn_by_the_median_of_those_like_it() -> None:
    running = parse_job(a_job("runs"))
    past = [replace(running, phase=Phase.COMPLETED, started=NOON, finished=NOON + 30)] * 5
    history = RunHistory(past)
    runs = next(cells for cells in texts(shown(history=history).jobs) if cells[0] == "runs")
    assert "50%" in runs[5]
    late = next(cells for cells in texts(shown(history=history, now=NOON + 35).jobs) if cells[0] == "runs")
    assert late[5].endswith(" longer")
    unknown = next(cells for cells in texts(shown().jobs) if cells[0] == "runs")
    assert unknown[5] == ""


def test_a_filter_keeps_the_lines_with_all_its_words() -> None:
    assert [cells[0] for cells in texts(shown(wanted="RUNS apply").jobs)] == ["runs"]
    assert texts(shown(wanted="nothing").jobs) == []


def test_a_daemon_is_shown_with_its_job_and_failures() -> None:
    (cells,) = texts(shown().daemons)
    assert cells[:5] == ["d1", "Busy", "1/1", "runs", "4"]


def test_a_row_is_identified_by_its_object() -> None:
    keys = [row.key for row in shown().jobs]
    assert keys == ["acme/stuck", "acme/runs", "acme/waits", "acme/waits-2"]

"""Estimates from the index: from the runs that ended, for all jobs of a namespace at a time."""

from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from provisioner_operator.api.v1alpha1.names import DAEMONS, JOBS
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.core.model.records import Job
from provisioner_operator.web.api.explain import why
from provisioner_operator.web.index.cluster_index import ClusterIndex
from provisioner_operator.web.page.jobs.listing import queue_facts
from provisioner_operator.web.page.jobs.table import reason_of
from support.builders.core import NOON
from support.builders.manifests import a_daemon_manifest, a_job_manifest, an_assignment
from support.builders.stored import stored


class Timeline:
    """An index and its clock."""

    def __init__(self) -> None:
        self.now = NOON + 10
        self.index = ClusterIndex(lambda: Instant(self.now, self.now))
        self.index.complete()
        self.index.put(DAEMONS, stored(a_daemon_manifest("d1"), status={"state": "Busy", "lastHeartbeatTime": at(0)}))

    def put(self, name: str, **status: Any) -> Job:
        body = stored(
            a_job_manifest(name, workspaceRef={"name": name}), status=status, uid=str(uuid5(NAMESPACE_URL, name))
        )
        self.index.put(JOBS, body)
        row = self.index.jobs.named("acme", name)
        assert row is not None
        return row.job

    def run(self, name: str) -> Job:
        return self.put(name, phase="Running", assignment=an_assignment("d1"), startedAt=at(0))

    def end(self, count: int, seconds: int = 30) -> None:
        for number in range(count):
            self.put(f"past-{number}", phase="Completed", startedAt=at(0), finishedAt=at(seconds))


def at(seconds: float) -> str:
    return datetime.fromtimestamp(NOON + seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_start_is_estimated_from_the_runs_that_ended_and_kept_for_a_moment() -> None:
    timeline = Timeline()
    timeline.run("runs")
    job = timeline.put("waits")
    queue = timeline.index.queue
    assert queue.start_of(job) is None
    assert "too few runs" in queue.unknown_because(job)
    timeline.end(50)
    assert queue.start_of(job) is None
    timeline.now += 5
    found = queue.start_of(job)
    assert found is not None
    assert (round(found.p50), found.runs) == (15, 50)


def test_the_answer_to_why_has_the_estimate_and_how_long_such_runs_take() -> None:
    timeline = Timeline()
    running, job = timeline.run("runs"), timeline.put("waits")
    timeline.end(99, seconds=9)
    waits = why(job, timeline.index, shows_daemons=False)
    assert waits.estimate is not None
    assert (waits.estimate.p50_seconds <= waits.estimate.p90_seconds, waits.estimate.runs, waits.run) == (
        True,
        99,
        None,
    )
    runs = why(running, timeline.index, shows_daemons=False)
    assert runs.estimate is None
    assert runs.run is not None
    assert (runs.run.p50_seconds, runs.run.p90_seconds, runs.run.runs, runs.run.overlong) == (9, 9, 99, True)


def test_an_overlong_run_is_marked_in_the_list() -> None:
    timeline = Timeline()
    running = timeline.run("runs")
    timeline.end(99, seconds=10)
    row = timeline.index.jobs.named("acme", "runs")
    assert row is not None
    assert reason_of(running, queue_facts(timeline.index, row)) == ""
    timeline.now += 1
    assert reason_of(running, queue_facts(timeline.index, row)) == "Overlong"


def test_a_run_counts_once_however_often_its_job_changes() -> None:
    timeline = Timeline()
    timeline.end(4)
    body = stored(
        a_job_manifest("past-0"),
        status={"phase": "Completed", "startedAt": at(0), "finishedAt": at(30)},
        uid=str(uuid5(NAMESPACE_URL, "past-0")),
        resourceVersion="9",
    )
    timeline.index.put(JOBS, body)
    assert timeline.index.queue.history.like(timeline.run("runs")) is None

"""Counting of how often estimates hold, and the replay of recorded jobs. Queues are replayed in `tests/model`."""

import json
from datetime import UTC, datetime
from pathlib import Path

from bench.estimates.coverage import Coverage, coverage
from bench.estimates.recording import read_jobs, replay_recording
from bench.estimates.world import Case
from support.builders.core import NOON
from support.builders.manifests import a_job_manifest
from support.builders.stored import stored
from support.manifests import Manifest


def test_a_job_that_was_about_to_start_or_never_started_is_no_case() -> None:
    cases = [Case(0, 10, 20, 5), Case(0, 10, 20, 15), Case(0, None, None, 9), Case(0, 0, 0, 0), Case(0, 10, 20)]
    assert coverage(cases) == Coverage(cases=3, unknown=1, p50=0.5, p90=1.0)
    assert not coverage(cases).holds
    assert coverage([]).cases == 0


def test_a_recording_is_replayed_as_it_was(tmp_path: Path) -> None:
    bodies = [recorded(number) for number in range(30)]
    unreadable, waiting = {**bodies[0], "spec": {"provisioner": "unknown"}}, stored(a_job_manifest("waits"))
    path = tmp_path / "jobs.json"
    path.write_text(json.dumps({"items": [unreadable, waiting, *bodies]}), encoding="utf-8")
    jobs = read_jobs(path)
    assert [job.name for job in jobs] == [f"job-{number}" for number in range(30)]
    world = replay_recording(jobs, 0)
    assert len(world.daemons) == 1
    assert world.now - NOON == 30 * 60
    waits = [case.waited for case in world.cases.values() if case.p90]
    assert waits
    assert all(case.p50 is not None for case in world.cases.values())


def recorded(number: int) -> Manifest:
    """A job of a daemon that ran one after the other, a minute each; they had come every fifty seconds."""
    created, started = NOON + 50 * number, NOON + 60 * number
    status = {"phase": "Completed", "startedAt": written(started), "finishedAt": written(started + 60)}
    return stored(a_job_manifest(f"job-{number}"), status=status, creationTimestamp=written(created))


def written(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

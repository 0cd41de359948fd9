"""The field `queue` that lists for programs add to pending jobs."""

from provisioner_operator.cli.jobs.listing import with_queue
from provisioner_operator.cli.view.loading import JobView
from provisioner_operator.core.model.records import Job
from provisioner_operator.core.views.snapshot import Snapshot
from support.builders.core import NOON, a_job, a_running_job

BODY = {"kind": "ProvisionerJob"}


def listed(job: Job, snapshot: Snapshot | None) -> object:
    return dict(with_queue(BODY, JobView(job, None, None, None), snapshot)).get("queue")


def test_a_pending_job_has_its_place_and_reason() -> None:
    job = a_job(tags={"a": "1"})
    assert listed(job, Snapshot([job], now=NOON + 10)) == {
        "position": 1,
        "size": 1,
        "reason": "NoMatchingDaemon",
        "waitedSeconds": 10,
    }


def test_a_suspended_job_has_no_place() -> None:
    job = a_job(suspend=True, suspended_at=NOON)
    queue = listed(job, Snapshot([job], now=NOON + 10))
    assert queue == {"position": None, "size": None, "reason": "Suspended", "waitedSeconds": 0}


def test_other_jobs_have_no_such_field() -> None:
    job = a_running_job()
    assert listed(job, Snapshot([job], now=NOON)) is None
    assert listed(a_job(), None) is None

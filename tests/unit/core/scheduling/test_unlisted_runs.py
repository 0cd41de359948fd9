"""Started jobs that their daemon's heartbeats omit."""

from provisioner_operator.core.scheduling.unlisted_runs import UnlistedRuns
from support.builders.core import a_daemon, a_running_job, an_assigned_job


def test_a_started_job_is_read_again_once_two_heartbeats_in_a_row_omit_it() -> None:
    unlisted, job = UnlistedRuns(), a_running_job()
    assert unlisted.report(a_daemon(), [job, an_assigned_job("waiting")]) == [job.uid]
    assert not unlisted.must_be_read(job.uid)
    assert unlisted.report(a_daemon(runs=(job,)), [job]) == []
    unlisted.report(a_daemon(), [job])
    assert not unlisted.must_be_read(job.uid)
    unlisted.report(a_daemon(), [job])
    assert unlisted.must_be_read(job.uid)
    assert not unlisted.must_be_read(job.uid)


def test_a_job_that_is_over_is_forgotten() -> None:
    unlisted, job = UnlistedRuns(), a_running_job()
    unlisted.report(a_daemon(), [job])
    unlisted.forget(job.uid)
    unlisted.report(a_daemon(), [job])
    assert not unlisted.must_be_read(job.uid)

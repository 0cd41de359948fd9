from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.enums import CancelMode, Phase
from provisioner_operator.core.daemons.duties import (
    Abandon,
    Acknowledge,
    Disown,
    Duty,
    HeldRun,
    Stopping,
    StopRun,
    duties,
)
from provisioner_operator.core.model.records import Job
from support.builders.core import a_job, a_running_job, an_assigned_job, an_ended_job

FORCE: dict[str, Any] = {"cancel": True, "cancel_mode": CancelMode.FORCE}


def held(job: Job, *, assignment: str = "first", stopping: Stopping = Stopping.NOT, ended: bool = False) -> HeldRun:
    return HeldRun(job.uid, assignment, stopping, ended)


def due(*jobs: Job, runs: tuple[HeldRun, ...] = (), capacity: int = 3, draining: bool = False) -> list[Duty]:
    return duties(
        jobs,
        {run.job_uid: run for run in runs},
        daemon_uid="uid-of-daemon",
        instance="process-of-daemon",
        capacity=capacity,
        draining=draining,
    )


def test_an_assigned_job_is_acknowledged() -> None:
    job = an_assigned_job()
    assert due(job) == [Acknowledge(job)]


@pytest.mark.parametrize(
    "job",
    [
        a_job(),
        an_assigned_job(daemon="other"),
        an_assigned_job(cancel=True),
        an_assigned_job(suspend=True),
        a_running_job(instance="former process"),
        an_ended_job(),
    ],
    ids=["unassigned", "another's", "canceled", "suspended", "of a former process", "ended"],
)
def test_no_other_job_is_begun(job: Job) -> None:
    assert due(job) == []


def test_jobs_are_taken_in_the_queues_order_up_to_capacity() -> None:
    jobs = [an_assigned_job(f"job-{number}", created=-number) for number in range(3)]
    assert due(*jobs, capacity=2) == [Acknowledge(jobs[2]), Acknowledge(jobs[1])]


def test_a_held_run_takes_its_slot_until_its_end_is_written() -> None:
    running = a_running_job("running")
    assert due(running, an_assigned_job("next"), runs=(held(running, ended=True),), capacity=1) == []


def test_a_capacity_that_was_lowered_below_what_runs_lets_it_go_on() -> None:
    jobs = [a_running_job(f"job-{number}") for number in range(2)]
    assert due(*jobs, runs=tuple(map(held, jobs)), capacity=1) == []


def test_a_draining_daemon_takes_nothing_new_and_goes_on_with_the_rest() -> None:
    running = a_running_job("running")
    assert due(running, an_assigned_job("next"), runs=(held(running),), draining=True) == []


@pytest.mark.parametrize("phase", [Phase.RUNNING, Phase.CANCELING])
def test_a_cancel_is_begun_once(phase: Phase) -> None:
    job = a_running_job(phase=phase, cancel=True)
    assert due(job, runs=(held(job),)) == [StopRun(job, force=False)]
    assert due(job, runs=(held(job, stopping=Stopping.INTERRUPTED),)) == []


def test_a_forced_cancel_kills_also_what_was_interrupted_before() -> None:
    job = a_running_job(**FORCE)
    assert due(job, runs=(held(job),)) == [StopRun(job, force=True)]
    assert due(job, runs=(held(job, stopping=Stopping.INTERRUPTED),)) == [StopRun(job, force=True)]
    assert due(job, runs=(held(job, stopping=Stopping.KILLED),)) == []


def test_a_run_whose_job_is_being_deleted_is_interrupted_once() -> None:
    job = a_running_job(deleting=True, cancel_mode=CancelMode.FORCE)
    assert due(job, runs=(held(job),)) == [StopRun(job, force=False)]
    assert due(job, runs=(held(job, stopping=Stopping.INTERRUPTED),)) == []


def test_a_job_that_is_being_deleted_is_not_acknowledged() -> None:
    assert due(an_assigned_job(deleting=True)) == []


def test_a_run_that_ended_by_itself_is_not_canceled() -> None:
    job = a_running_job(cancel=True)
    assert due(job, runs=(held(job, ended=True),)) == []


def test_a_run_whose_acknowledgment_is_under_way_is_left_alone() -> None:
    job = an_assigned_job()
    assert due(job, runs=(held(job),)) == []


@pytest.mark.parametrize(
    "now",
    [
        (),
        (an_ended_job(phase=Phase.FAILED),),
        (a_running_job(daemon="other"),),
        (a_running_job(instance="another process"),),
        (a_job(),),
    ],
    ids=["deleted", "ended", "another daemon's", "another process's", "released"],
)
def test_a_run_that_its_job_no_longer_wants_is_abandoned_once(now: tuple[Job, ...]) -> None:
    assert due(*now, runs=(held(a_job()),)) == [Abandon("uid-of-job")]
    assert due(*now, runs=(held(a_job(), stopping=Stopping.INTERRUPTED),)) == []
    assert due(*now, runs=(held(a_job(), ended=True),)) == []


def test_a_run_of_an_earlier_assignment_is_abandoned() -> None:
    assert due(an_assigned_job(), runs=(held(a_job(), assignment="zeroth"),)) == [Abandon("uid-of-job")]


@pytest.mark.parametrize("phase", [Phase.RUNNING, Phase.CANCELING])
def test_a_job_that_this_process_took_and_has_no_run_of_is_ended(phase: Phase) -> None:
    job = a_running_job(phase=phase)
    assert due(job) == [Disown(job)]
    assert due(job, draining=True) == [Disown(job)]
    assert due(job, runs=(held(job),)) == []

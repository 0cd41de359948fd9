from dataclasses import replace

import pytest

from provisioner_operator.api.v1alpha1.enums import CancelReason, ConditionStatus, EndReason, Phase
from provisioner_operator.core.model.records import Condition, Job, ReportedRun
from provisioner_operator.core.scheduling.occupancy import UNLISTED_REPORTS, Occupancy, may_still_run
from support.builders.core import NAMESPACE, NOON, a_job, a_running_job, an_ended_job

JOB = a_running_job("job", workspace="dev")
DEV = (NAMESPACE, "dev")


def canceled(reason: CancelReason) -> Condition:
    return Condition("CancelRequested", ConditionStatus.TRUE, reason, "", NOON)


def a_daemon_that_runs_it() -> Occupancy:
    occupancy = Occupancy()
    occupancy.give("d", JOB.uid)
    return occupancy


def report(occupancy: Occupancy, *jobs: Job, trusted: bool = False) -> None:
    occupancy.report("d", NAMESPACE, frozenset(ReportedRun(job.uid, job.workspace) for job in jobs), trusted=trusted)


def test_an_assigned_job_takes_a_slot_once_however_often_it_is_observed() -> None:
    occupancy = a_daemon_that_runs_it()
    occupancy.give("d", JOB.uid)
    report(occupancy, JOB)
    assert occupancy.used("d") == 1
    assert set(occupancy.jobs_of("d")) == {JOB.uid}


def test_a_job_that_never_started_frees_its_slot_at_once() -> None:
    occupancy = a_daemon_that_runs_it()
    occupancy.take("d", JOB.uid)
    assert occupancy.used("d") == 0
    assert occupancy.is_clear("d")


def test_a_job_that_its_daemon_ended_is_over_even_while_the_last_heartbeat_lists_it() -> None:
    occupancy = a_daemon_that_runs_it()
    report(occupancy, JOB)
    occupancy.end("d", JOB, may_still_run=False)
    report(occupancy, JOB)
    assert occupancy.used("d") == 0
    assert not occupancy.lingering_workspaces("d")


def test_a_run_that_outlives_its_job_keeps_slot_and_workspace_until_it_is_listed_no_more() -> None:
    occupancy = a_daemon_that_runs_it()
    report(occupancy, JOB)
    occupancy.end("d", JOB, may_still_run=True)
    report(occupancy, JOB)
    assert occupancy.used("d") == 1
    assert occupancy.lingering_workspaces("d") == {DEV}
    assert not occupancy.is_clear("d")
    report(occupancy)
    assert occupancy.used("d") == 0
    assert not occupancy.lingering_workspaces("d")


def test_a_heartbeat_from_before_a_run_began_does_not_end_it() -> None:
    occupancy = a_daemon_that_runs_it()
    occupancy.end("d", JOB, may_still_run=True)
    for _ in range(UNLISTED_REPORTS - 1):
        report(occupancy)
        assert occupancy.lingering_workspaces("d") == {DEV}
    report(occupancy)
    assert occupancy.is_clear("d")


def test_a_run_of_a_job_that_was_gone_when_its_daemon_was_first_observed_lingers_too() -> None:
    occupancy = Occupancy()
    report(occupancy, JOB, trusted=True)
    report(occupancy, JOB)
    assert occupancy.used("d") == 1
    assert occupancy.lingering_workspaces("d") == {DEV}


def test_a_heartbeat_occupies_no_workspace_of_a_job_that_was_never_assigned_to_its_daemon() -> None:
    occupancy = a_daemon_that_runs_it()
    report(occupancy, JOB)
    report(occupancy, JOB, a_running_job("invented", workspace="of-somebody-else"))
    assert occupancy.used("d") == 2
    assert not occupancy.lingering_workspaces("d")


def test_a_run_that_outlives_its_job_keeps_the_jobs_workspace_whatever_the_heartbeat_says() -> None:
    occupancy = a_daemon_that_runs_it()
    occupancy.end("d", JOB, may_still_run=True)
    for claim in (None, "of-somebody-else"):
        report(occupancy, replace(JOB, workspace=claim))
        assert occupancy.lingering_workspaces("d") == {DEV}


def test_doubting_a_daemons_claims_frees_the_workspaces_of_unknown_jobs_alone() -> None:
    occupancy = a_daemon_that_runs_it()
    report(occupancy, a_running_job("unknown", workspace="other"), trusted=True)
    occupancy.end("d", JOB, may_still_run=True)
    assert occupancy.lingering_workspaces("d") == {DEV, (NAMESPACE, "other")}

    occupancy.doubt_claims("d")

    assert occupancy.lingering_workspaces("d") == {DEV}
    assert occupancy.used("d") == 2


def test_trusting_claims_believes_only_what_no_job_is_known_of() -> None:
    occupancy = a_daemon_that_runs_it()
    report(occupancy, JOB, a_running_job("unknown", workspace="other"))
    occupancy.trust_claims("d", NAMESPACE)
    assert occupancy.lingering_workspaces("d") == {(NAMESPACE, "other")}


def test_the_oldest_deleted_jobs_are_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{Occupancy.__module__}.MOST_DELETED_JOBS", 1)
    occupancy = Occupancy()
    for name in ("first", "second"):
        occupancy.delete_waiting(f"uid-of-{name}", (NAMESPACE, name))

    report(occupancy, a_running_job("first"), a_running_job("second"))

    assert occupancy.lingering_workspaces("d") == {(NAMESPACE, "second")}


def test_a_run_that_was_listed_before_its_job_was_known_is_the_jobs_from_then_on() -> None:
    occupancy = Occupancy()
    report(occupancy, JOB)
    occupancy.give("d", JOB.uid)
    assert not occupancy.lingering_workspaces("d")
    occupancy.end("d", JOB, may_still_run=False)
    assert occupancy.used("d") == 0


def test_a_run_without_a_workspace_keeps_only_its_slot() -> None:
    occupancy = Occupancy()
    report(occupancy, a_running_job("import"))
    assert occupancy.used("d") == 1
    assert not occupancy.lingering_workspaces("d")


def test_with_its_process_all_of_a_daemons_runs_are_over() -> None:
    occupancy = Occupancy()
    report(occupancy, JOB)
    occupancy.vanish("d")
    assert occupancy.is_clear("d")
    assert occupancy.used("d") == 0


@pytest.mark.parametrize(
    ("ended", "may"),
    [
        (an_ended_job(phase=Phase.FAILED, reason=EndReason.DEADLINE_EXCEEDED), True),
        (an_ended_job(phase=Phase.CANCELED, conditions=(canceled(CancelReason.DAEMON_UNRESPONSIVE),)), True),
        (an_ended_job(phase=Phase.COMPLETED, conditions=(canceled(CancelReason.TOO_LATE),)), False),
        (an_ended_job(phase=Phase.CANCELED, conditions=(canceled(CancelReason.STOPPED),)), False),
        (an_ended_job(phase=Phase.CANCELED, conditions=(canceled(CancelReason.DAEMON_GONE),)), False),
        (an_ended_job(reason=EndReason.COMPLETED), False),
        (a_job(phase=Phase.FAILED, reason=EndReason.PENDING_TIMEOUT), False),  # it never started
    ],
)
def test_only_a_run_that_the_controller_ended_may_outlive_its_job(ended: Job, may: bool) -> None:  # noqa: FBT001 - a column
    assert may_still_run(ended) is may

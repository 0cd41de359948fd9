"""Each write, applied to a real object: what it makes of it, and that it is legal."""

from collections.abc import Callable

import pytest

from provisioner_operator.api.v1alpha1.enums import CancelReason, ConditionStatus, EndReason, PendingReason, Phase
from provisioner_operator.api.v1alpha1.limits import LONGEST_MESSAGE, MOST_RESOURCES, MOST_VARIABLES
from provisioner_operator.core.jobs import status_writes
from provisioner_operator.core.jobs.outcome import (
    DeclaredVariable,
    LogArchive,
    Outcome,
    Output,
    ResourceChange,
    StageTiming,
)
from provisioner_operator.core.model.json_patch import JsonPatch, timestamp
from provisioner_operator.core.model.records import Job
from provisioner_operator.kube.parsing import parse_job, parse_job_model
from support.builders.core import NOON
from support.builders.written_jobs import (
    DAEMON,
    a_body,
    acknowledge,
    after,
    assign,
    begin_cancel,
    complete,
    edited,
    explain,
    fail,
    give_up,
    release,
    resume,
    stopped,
    suspend,
)


def conditions(job: Job) -> dict[str, tuple[ConditionStatus, str]]:
    return {condition.type: (condition.status, condition.reason) for condition in job.conditions}


TRUE, FALSE = ConditionStatus.TRUE, ConditionStatus.FALSE


def test_a_job_that_meets_no_trouble_takes_three_writes() -> None:
    job = parse_job(after(a_body(), assign, acknowledge, complete))
    assert job.phase is Phase.COMPLETED
    assert job.resource_version == 4
    assert job.assignment is not None
    assert (job.assignment.daemon, job.assignment.daemon_uid, job.assignment.id) == ("pool-a", DAEMON.uid, "a1")
    assert job.assignment.instance == "process-1"
    assert (job.started, job.finished) == (NOON + 2, NOON + 5)
    assert conditions(job) == {"Assigned": (TRUE, "Assigned"), "Ready": (TRUE, "Completed")}


def test_a_failed_job_is_stalled_for_kstatus() -> None:
    job = parse_job(after(a_body(), assign, acknowledge, fail))
    assert (job.phase, job.reason, job.message) == (Phase.FAILED, "RunFailed", "So it ended.")
    assert conditions(job)["Stalled"] == (TRUE, "RunFailed")
    assert conditions(job)["Ready"] == (FALSE, "RunFailed")


def test_assigning_forgets_why_the_job_waited() -> None:
    job = parse_job(after(a_body(), explain, assign))
    assert (job.reason, job.message) == (None, None)
    assert conditions(job)["Assigned"] == (TRUE, "Assigned")


def test_why_a_job_waits_is_said_in_the_status_and_in_its_condition() -> None:
    job = parse_job(after(a_body(), explain))
    assert (job.reason, job.message) == ("DaemonsBusy", "They are busy.")
    assert conditions(job) == {"Assigned": (FALSE, "DaemonsBusy"), "Ready": (FALSE, "DaemonsBusy")}


def test_a_released_job_is_as_if_it_had_not_been_assigned_and_says_why() -> None:
    job = parse_job(after(a_body(), assign, release))
    assert job.assignment is None
    assert job.phase is Phase.PENDING
    assert conditions(job)["Assigned"] == (FALSE, "Released")
    assert parse_job(after(a_body(), assign, release, assign)).assignment is not None


def test_suspended_time_is_added_up() -> None:
    body = after(edited(a_body(), suspend=True), suspend)
    assert parse_job(body).suspended_at == NOON + 10
    assert parse_job(body).reason == PendingReason.SUSPENDED
    job = parse_job(after(edited(body, suspend=False), resume))
    assert (job.suspended_at, job.suspended_seconds, job.reason) == (None, 60, None)
    again = after(edited(after(edited(body, suspend=False), resume), suspend=True), suspend)
    assert parse_job(again).suspended_seconds == 60


def test_a_job_that_was_created_suspended_never_waited() -> None:
    assert parse_job(after(a_body(suspend=True), suspend)).suspended_at == NOON


def test_suspending_takes_an_assignment_back() -> None:
    job = parse_job(after(edited(after(a_body(), assign), suspend=True), suspend))
    assert job.assignment is None


def test_a_run_that_stops_soon_is_canceled_with_one_write_that_says_who_and_why() -> None:
    running = after(a_body(), assign, acknowledge)
    job = parse_job(after(edited(running, cancel=True, canceledBy="ann", cancelReason="too dear"), stopped))
    assert (job.phase, conditions(job)["CancelRequested"]) == (Phase.CANCELED, (TRUE, "Stopped"))
    assert job.message is not None
    assert job.message.startswith("Canceled by ann: too dear. ")


def test_a_cancel_that_takes_its_time_goes_through_canceling_and_says_who_and_why() -> None:
    running = after(a_body(), assign, acknowledge)
    body = after(edited(running, cancel=True, canceledBy="ann", cancelReason="too dear"), begin_cancel)
    assert parse_job(body).phase is Phase.CANCELING
    assert parse_job(body).message == "Canceled by ann: too dear. The run is being stopped."
    job = parse_job(after(body, stopped))
    assert (job.phase, conditions(job)["CancelRequested"]) == (Phase.CANCELED, (TRUE, "Stopped"))


@pytest.mark.parametrize(("end", "word"), [(complete, "completed"), (fail, "failed")])
def test_a_cancel_that_came_too_late_says_so(end: Callable[[Job], JsonPatch], word: str) -> None:
    body = edited(after(a_body(), assign, acknowledge), cancel=True)
    job = parse_job(after(body, begin_cancel, end))
    (requested,) = [condition for condition in job.conditions if condition.type == "CancelRequested"]
    assert requested.reason == CancelReason.TOO_LATE
    assert requested.message == f"Canceled. The cancel came too late: the job had already {word}."


def test_the_controller_cancels_what_never_started() -> None:
    job = parse_job(after(edited(a_body(), cancel=True), give_up))
    assert (job.phase, job.started) == (Phase.CANCELED, None)
    assert conditions(job)["Assigned"] == (FALSE, "Canceled")


def test_the_details_of_a_run_are_kept() -> None:
    outcome = Outcome(
        Phase.COMPLETED,
        EndReason.COMPLETED,
        "Done.",
        stage="apply",
        timings=(StageTiming("init", NOON, NOON + 1), StageTiming("apply", NOON + 1)),
        outputs=(Output("ip", "10.0.0.1"),),
        resources=(ResourceChange("vm.a", "vm", "create"),),
        variables=(DeclaredVariable("region", "string", required=True, description="Where"),),
        commit="0123456789" * 4,
        log=LogArchive("dev-7-log", 17, truncated=True),
    )
    body = after(a_body(), assign, acknowledge, lambda job: status_writes.finish(job, outcome, NOON + 5))
    parse_job(body)
    status = body["status"]
    assert status["stage"] == "apply"
    assert status["timings"][1] == {"stage": "apply", "startedAt": timestamp(NOON + 1)}
    assert status["outputs"] == [{"name": "ip", "value": "10.0.0.1"}]
    assert status["resources"] == [{"address": "vm.a", "type": "vm", "action": "create"}]
    assert status["variables"] == [
        {"name": "region", "type": "string", "required": True, "sensitive": False, "description": "Where"}
    ]
    assert status["commit"] == "0123456789" * 4
    assert status["log"] == {"configMap": "dev-7-log", "bytes": 17, "truncated": True}


def test_what_an_import_found_is_cut_to_what_the_schema_takes() -> None:
    outcome = Outcome(
        Phase.COMPLETED,
        EndReason.COMPLETED,
        "Done.",
        resources=tuple(ResourceChange(f"{n}." + "a" * 600, "t" * 200, "declare") for n in range(300)),
        variables=tuple(DeclaredVariable(f"v{n}", "t" * 2000, description="d" * 2000) for n in range(200)),
    )
    body = after(a_body(), assign, acknowledge, lambda job: status_writes.finish(job, outcome, NOON + 5))
    status = parse_job_model(body).status
    assert (len(status.variables), len(status.resources)) == (MOST_VARIABLES, MOST_RESOURCES)


def test_a_message_is_cut_to_what_a_condition_may_hold() -> None:
    job = parse_job(
        after(a_body(), lambda job: status_writes.set_pending_reason(job, PendingReason.SUSPENDED, "x" * 40_000, NOON))
    )
    assert job.message is not None
    assert len(job.message) == LONGEST_MESSAGE

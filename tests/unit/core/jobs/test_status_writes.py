"""Each write, applied to a real object: what it makes of it, that it is legal, and when it is refused."""

from collections.abc import Callable
from typing import Any

import jsonpatch
import pytest

from provisioner_operator.api.v1alpha1.enums import (
    CancelReason,
    ConditionStatus,
    DaemonState,
    EndReason,
    PendingReason,
    Phase,
)
from provisioner_operator.api.v1alpha1.limits import LONGEST_MESSAGE, MOST_RESOURCES, MOST_VARIABLES
from provisioner_operator.core.daemons.decisions import daemon_offline
from provisioner_operator.core.jobs import status_writes
from provisioner_operator.core.jobs.lifecycle import IllegalTransitionError
from provisioner_operator.core.jobs.outcome import (
    DeclaredVariable,
    LogArchive,
    Outcome,
    Output,
    ResourceChange,
    StageTiming,
)
from provisioner_operator.core.model.json_patch import JsonPatch, timestamp
from provisioner_operator.core.model.records import Daemon, Job
from provisioner_operator.kube.parsing import parse_daemon, parse_job, parse_job_model
from support.builders.core import NOON, a_daemon, a_job

Body = dict[str, Any]
DAEMON = a_daemon("pool-a")


class RefusedError(Exception):
    """The API server's 422."""


def a_body(**spec: Any) -> Body:
    """A new job as the API server has it, defaults filled in."""
    return {
        "metadata": {
            "name": "dev-7",
            "namespace": "acme",
            "uid": "uid-of-dev-7",
            "resourceVersion": "1",
            "generation": 1,
            "creationTimestamp": timestamp(NOON),
        },
        "spec": {"provisioner": "echo", "cancel": False, "suspend": False, "workspaceRef": {"name": "dev"}} | spec,
        "status": {"phase": "Pending"},
    }


def apply(body: Body, patch: JsonPatch) -> Body:
    """As the API server: a test for null holds for what is absent; only the status changes."""
    operations = patch.operations()
    for operation in operations:
        if operation["op"] == "test" and operation["value"] is None:
            found = jsonpatch.JsonPointer(str(operation["path"])).resolve(body, None)
            if found is not None:
                raise RefusedError(operation)
    rest = [each for each in operations if not (each["op"] == "test" and each["value"] is None)]
    try:
        changed: Body = jsonpatch.JsonPatch(rest).apply(body)
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException) as error:
        raise RefusedError(str(error)) from error
    changed["metadata"]["resourceVersion"] = str(int(body["metadata"]["resourceVersion"]) + 1)
    assert {**changed, "status": 0, "metadata": 0} == {**body, "status": 0, "metadata": 0}
    return changed


def after(body: Body, *writes: Callable[[Job], JsonPatch]) -> Body:
    for write in writes:
        body = apply(body, write(parse_job(body)))
    return body


def edited(body: Body, **spec: Any) -> Body:
    metadata = body["metadata"] | {"generation": body["metadata"]["generation"] + 1}
    return {**body, "metadata": metadata, "spec": body["spec"] | spec}


def assign(job: Job) -> JsonPatch:
    return status_writes.assign(job, DAEMON, "a1", NOON + 1)


def acknowledge(job: Job) -> JsonPatch:
    return status_writes.acknowledge(job, "process-1", NOON + 2)


def begin_cancel(job: Job) -> JsonPatch:
    return status_writes.begin_cancel(job, NOON + 3)


def explain(job: Job) -> JsonPatch:
    return status_writes.set_pending_reason(job, PendingReason.DAEMONS_BUSY, "They are busy.", NOON + 1)


def suspend(job: Job) -> JsonPatch:
    return status_writes.suspend(job, "Suspended.", NOON + 10)


def resume(job: Job) -> JsonPatch:
    return status_writes.resume(job, NOON + 70)


def release(job: Job) -> JsonPatch:
    return status_writes.release(job, "It did not answer.", NOON + 31)


def finish(phase: Phase, reason: EndReason) -> Callable[[Job], JsonPatch]:
    return lambda job: status_writes.finish(job, Outcome(phase, reason, "So it ended."), NOON + 5)


def time_out(job: Job) -> JsonPatch:
    return status_writes.end(job, Phase.FAILED, EndReason.DEADLINE_EXCEEDED, "Too long.", NOON + 9)


def give_up(job: Job) -> JsonPatch:
    return status_writes.cancel(job, CancelReason.DAEMON_GONE, "Its daemon is gone.", NOON + 9)


complete = finish(Phase.COMPLETED, EndReason.COMPLETED)
fail = finish(Phase.FAILED, EndReason.RUN_FAILED)
stopped = finish(Phase.CANCELED, EndReason.CANCELED)


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


def test_a_cancel_goes_through_canceling_and_says_who_and_why() -> None:
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


PENDING, ASSIGNED, RUNNING = a_body(), after(a_body(), assign), after(a_body(), assign, acknowledge)
CANCELED_RUNNING = edited(RUNNING, cancel=True)
CANCELING = after(CANCELED_RUNNING, begin_cancel)
REASSIGNED = after(ASSIGNED, release, lambda job: status_writes.assign(job, DAEMON, "a2", NOON + 40))
NAMESAKE = {**PENDING, "metadata": PENDING["metadata"] | {"uid": "another"}}


@pytest.mark.parametrize(
    ("seen", "write", "meanwhile"),
    [
        pytest.param(PENDING, assign, ASSIGNED, id="assign what is assigned"),
        pytest.param(PENDING, assign, edited(PENDING, cancel=True), id="assign what is canceled"),
        pytest.param(PENDING, assign, edited(PENDING, suspend=True), id="assign what is suspended"),
        pytest.param(PENDING, assign, after(PENDING, time_out), id="assign what has ended"),
        pytest.param(PENDING, assign, NAMESAKE, id="assign a later job of that name"),
        pytest.param(PENDING, explain, ASSIGNED, id="explain what is assigned"),
        pytest.param(ASSIGNED, release, RUNNING, id="release what runs"),
        pytest.param(ASSIGNED, release, REASSIGNED, id="release a later assignment"),
        pytest.param(ASSIGNED, acknowledge, after(ASSIGNED, release), id="acknowledge what was taken back"),
        pytest.param(ASSIGNED, acknowledge, REASSIGNED, id="acknowledge what is another's"),
        pytest.param(ASSIGNED, acknowledge, edited(ASSIGNED, cancel=True), id="acknowledge what is canceled"),
        pytest.param(ASSIGNED, acknowledge, edited(ASSIGNED, suspend=True), id="acknowledge what is suspended"),
        pytest.param(ASSIGNED, acknowledge, RUNNING, id="acknowledge twice"),
        pytest.param(PENDING, time_out, RUNNING, id="time out in the queue what runs"),
        pytest.param(RUNNING, time_out, CANCELED_RUNNING, id="time out what is canceled"),
        pytest.param(RUNNING, time_out, after(RUNNING, complete), id="time out what has completed"),
        pytest.param(RUNNING, complete, after(RUNNING, time_out), id="complete what has timed out"),
        pytest.param(CANCELED_RUNNING, complete, CANCELING, id="complete without having seen Canceling"),
        pytest.param(CANCELING, stopped, after(CANCELING, give_up), id="finish a cancel that was given up"),
        pytest.param(edited(PENDING, cancel=True), give_up, RUNNING, id="cancel in the queue what runs"),
        pytest.param(edited(PENDING, suspend=True), suspend, PENDING, id="suspend what was let go on"),
        pytest.param(edited(ASSIGNED, suspend=True), suspend, RUNNING, id="suspend what runs"),
    ],
)
def test_a_write_is_refused_when_the_object_moved_on(
    seen: Body, write: Callable[[Job], JsonPatch], meanwhile: Body
) -> None:
    apply(seen, write(parse_job(seen)))
    with pytest.raises(RefusedError):
        apply(meanwhile, write(parse_job(seen)))


def test_an_edit_that_does_not_matter_costs_no_retry() -> None:
    moved = edited(PENDING, priority=7, ttlSecondsAfterFinished=60)
    assert parse_job(apply(moved, assign(parse_job(PENDING)))).assignment is not None


@pytest.mark.parametrize(
    ("body", "write"),
    [(PENDING, complete), (RUNNING, stopped), (CANCELED_RUNNING, give_up), (CANCELING, begin_cancel)],
    ids=["complete a pending job", "cancel a running one", "give up a running one", "begin a cancel twice"],
)
def test_a_step_that_the_table_lacks_is_not_even_written(body: Body, write: Callable[[Job], JsonPatch]) -> None:
    with pytest.raises(IllegalTransitionError):
        write(parse_job(body))


def test_a_job_without_an_assignment_cannot_be_acknowledged() -> None:
    with pytest.raises(ValueError, match="has no assignment"):
        acknowledge(a_job())


def a_daemon_body(heartbeat: str | None) -> Body:
    metadata = a_body()["metadata"] | {"name": "pool-a", "uid": DAEMON.uid}
    status: Body = {"state": "Idle"} | ({} if heartbeat is None else {"lastHeartbeatTime": heartbeat})
    return {"metadata": metadata, "spec": {}, "status": status}


def silent(daemon: Daemon) -> JsonPatch:
    return daemon_offline(daemon, "No heartbeat arrives.", NOON)


@pytest.mark.parametrize("heartbeat", [timestamp(NOON), None])
def test_a_daemon_without_process_is_shown_as_offline(heartbeat: str | None) -> None:
    body = a_daemon_body(heartbeat)
    daemon = parse_daemon(apply(body, silent(parse_daemon(body))))
    assert daemon.state is DaemonState.OFFLINE
    assert [(each.type, each.status) for each in daemon.conditions] == [("Ready", ConditionStatus.UNKNOWN)]


def test_a_heartbeat_that_came_meanwhile_wins() -> None:
    with pytest.raises(RefusedError):
        apply(a_daemon_body(timestamp(NOON + 1)), silent(parse_daemon(a_daemon_body(timestamp(NOON)))))

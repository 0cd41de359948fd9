"""Writes of a job's status in virtual time: what is repeated, what is news, and what an outage does."""

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any, TypeVar

import pytest

from provisioner_operator.api.v1alpha1.enums import EndReason, Phase
from provisioner_operator.core.jobs.outcome import DeclaredVariable, Outcome, Output
from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.core.model.records import Job
from provisioner_operator.daemon.jobs.writes import JobWrites
from provisioner_operator.kube import paths
from provisioner_operator.kube.errors import (
    ApiError,
    ConflictError,
    DeniedError,
    ForbiddenError,
    InternalError,
    InvalidError,
    KubeError,
    PreconditionFailedError,
    TooLargeError,
    UnreachableError,
)
from provisioner_operator.kube.parsing import parse_job
from support.virtual_time import EPOCH, run_in_virtual_time
from unit.daemon.builders import a_job_body
from unit.daemon.stored_objects import StoredObjects

WHOLE_OUTCOME_TRIES = 16
SLOWEST_RETRY_SECONDS = 5.0

T = TypeVar("T")
PATH = paths.job("acme", "dev-7")
DONE = Outcome(Phase.COMPLETED, EndReason.COMPLETED, "done")
FAILED = Outcome(Phase.FAILED, EndReason.RUN_FAILED, "no")
CANCELED = Outcome(Phase.CANCELED, EndReason.CANCELED, "stopped")
JITTER = 1.0


class Written:
    """One job on the API server, and the writes of instance i1."""

    def __init__(self, **status: Any) -> None:
        self.api = StoredObjects({PATH: a_job_body(**status)})
        self.writes = JobWrites(self.api, "i1")

    @property
    def job(self) -> Job:
        return parse_job(self.api.objects[PATH])

    @property
    def status(self) -> dict[str, Any]:
        status: dict[str, Any] = self.api.objects[PATH]["status"]
        return status

    def change(self, **status: Any) -> None:
        """Change the job's status as somebody else."""
        body = self.api.objects[PATH]
        self.api.store(PATH, body | {"status": body["status"] | status})


def assigned() -> Written:
    return Written(phase="Pending", instance=None)


def running() -> Written:
    return Written(phase="Running", instance="i1")


def during(work: Coroutine[Any, Any, T], *steps: tuple[float, Any]) -> T:
    """Run the work, and each step at its time."""

    async def both() -> T:
        task = asyncio.ensure_future(work)
        for at, step in steps:
            await asyncio.sleep(EPOCH + at - asyncio.get_running_loop().time())
            step()
        async with asyncio.timeout(100_000):
            return await task

    return run_in_virtual_time(both())


def test_an_acknowledged_job_runs_here() -> None:
    world = assigned()
    task = run_in_virtual_time(world.writes.acknowledge(world.job))
    assert task is not None
    assert (world.status["phase"], world.status["assignment"]["instance"]) == ("Running", "i1")
    assert task.job.phase is Phase.RUNNING
    assert len(world.api.requests) == 1


def test_an_acknowledgment_whose_answer_was_lost_counts_once_it_is_read() -> None:
    world = assigned()
    world.api.lost_answers = 1
    task = run_in_virtual_time(world.writes.acknowledge(world.job))
    assert task is not None
    assert [verb for _, verb, _ in world.api.requests] == ["patch", "patch", "get"]


@pytest.mark.parametrize(
    "change",
    [
        {"phase": "Running", "assignment": {"instance": "i2"}},
        {"assignment": {"id": "another"}},
        {"assignment": None},
        {"phase": "Canceled"},
    ],
)
def test_a_job_that_was_changed_meanwhile_is_not_taken(change: dict[str, Any]) -> None:
    world = assigned()
    job = world.job
    if change.get("assignment"):
        change = change | {"assignment": world.status["assignment"] | change["assignment"]}
    world.change(**change)
    before = world.status.copy()
    assert run_in_virtual_time(world.writes.acknowledge(job)) is None
    assert world.status == before


def test_a_job_that_was_deleted_is_not_taken() -> None:
    world = assigned()
    job = world.job
    world.api.remove(PATH)
    assert run_in_virtual_time(world.writes.acknowledge(job)) is None


def test_another_job_of_the_same_name_is_not_taken() -> None:
    world = assigned()
    job = world.job
    world.api.store(PATH, a_job_body(phase="Running", instance="i1", uid="another"))
    assert run_in_virtual_time(world.writes.acknowledge(job)) is None


def test_a_right_that_is_missing_ends_the_acknowledgment_and_is_named(caplog: pytest.LogCaptureFixture) -> None:
    world = assigned()
    world.api.outage = ForbiddenError(403, "no")
    assert run_in_virtual_time(world.writes.acknowledge(world.job)) is None
    assert "Cannot take job acme/dev-7: no (HTTP 403). Grant the daemon patch on provisionerjobs/status." in caplog.text


@pytest.mark.parametrize("passing", [UnreachableError("away"), InternalError(500, "etcd"), ConflictError(409, "moved")])
def test_an_acknowledgment_is_repeated_until_the_api_server_answers(passing: KubeError) -> None:
    world = assigned()
    world.api.refusals = [passing] * 20
    assert run_in_virtual_time(world.writes.acknowledge(world.job)) is not None
    pauses = [later - earlier for earlier, later in pairwise(world.api.times("patch"))]
    assert len(pauses) == 20
    assert max(pauses) <= SLOWEST_RETRY_SECONDS + JITTER
    assert pauses[0] < SLOWEST_RETRY_SECONDS < sum(pauses[-2:])


@pytest.mark.parametrize("outcome", [DONE, FAILED])
def test_an_end_is_one_write(outcome: Outcome) -> None:
    world = running()
    assert run_in_virtual_time(world.writes.finish(world.job, outcome)) is outcome.phase
    assert (world.status["phase"], world.status["reason"]) == (outcome.phase, outcome.reason)
    assert [verb for _, verb, _ in world.api.requests] == ["patch"]


@pytest.mark.parametrize("outage", [UnreachableError("away"), ForbiddenError(403, "no"), InternalError(500, "etcd")])
def test_an_end_that_could_not_be_written_for_an_hour_is_written_afterwards(outage: KubeError) -> None:
    world = running()
    world.api.outage = outage

    def end_of_outage() -> None:
        world.api.outage = None

    assert during(world.writes.finish(world.job, DONE), (3600, end_of_outage)) is Phase.COMPLETED
    assert world.status["phase"] == "Completed"
    assert world.api.times("patch")[-1] - EPOCH <= 3600 + SLOWEST_RETRY_SECONDS + JITTER
    assert len(world.api.requests) < 3600


def test_an_end_whose_answer_was_lost_is_found_written() -> None:
    world = running()
    world.api.lost_answers = 1
    assert run_in_virtual_time(world.writes.finish(world.job, FAILED)) is Phase.FAILED
    assert world.status["phase"] == "Failed"


def test_each_end_that_is_certain_is_handed_on_as_it_was_written() -> None:
    handed: list[Mapping[str, Any]] = []
    for lost in (0, 1):
        world = running()
        world.api.lost_answers = lost
        run_in_virtual_time(JobWrites(world.api, "i1", handed.append).finish(world.job, FAILED))
        assert handed.pop() == world.api.objects[PATH]
        assert handed == []


@pytest.mark.parametrize("phase", ["Running", "Canceling"])
def test_a_canceled_run_ends_with_one_write(phase: str) -> None:
    world = Written(phase=phase, instance="i1")
    assert run_in_virtual_time(world.writes.finish(world.job, CANCELED)) is Phase.CANCELED
    assert [verb for _, verb, _ in world.api.requests] == ["patch"]
    assert world.status["phase"] == "Canceled"


def test_an_end_is_written_over_a_cancel_that_came_meanwhile() -> None:
    world = running()
    job = world.job
    assert run_in_virtual_time(world.writes.begin_cancel(job)) is not None
    assert run_in_virtual_time(world.writes.finish(job, DONE)) is Phase.COMPLETED
    assert world.status["phase"] == "Completed"


def test_a_cancel_that_the_daemon_has_not_seen_is_recorded_as_too_late() -> None:
    world = running()
    job = world.job
    body = world.api.objects[PATH]
    meta = body["metadata"] | {"generation": 7}
    world.api.store(PATH, body | {"metadata": meta, "spec": body["spec"] | {"cancel": True}})

    assert run_in_virtual_time(world.writes.finish(job, DONE)) is Phase.COMPLETED

    assert world.status["observedGeneration"] == 7
    conditions = {each["type"]: each["reason"] for each in world.status["conditions"]}
    assert conditions["CancelRequested"] == "TooLate"


@pytest.mark.parametrize(
    ("change", "phase"),
    [
        ({"phase": "Failed", "reason": "DaemonLost"}, Phase.FAILED),
        ({"assignment": None, "phase": "Pending"}, None),
        ({"assignment": {"id": "another"}}, None),
    ],
)
def test_an_end_of_a_job_that_is_no_longer_here_is_not_written(change: dict[str, Any], phase: Phase | None) -> None:
    world = running()
    job = world.job
    if change.get("assignment"):
        change = change | {"assignment": world.status["assignment"] | change["assignment"]}
    world.change(**change)
    before = world.status.copy()
    assert run_in_virtual_time(world.writes.finish(job, DONE)) is phase
    assert world.status == before


def test_an_end_of_a_deleted_job_is_nobodys() -> None:
    world = running()
    job = world.job
    world.api.remove(PATH)
    assert run_in_virtual_time(world.writes.finish(job, DONE)) is None


def test_an_end_whose_details_are_refused_is_written_without_them() -> None:
    world = running()
    world.api.refusals = [InvalidError(422, "outputs: too long")]
    outcome = Outcome(Phase.COMPLETED, EndReason.COMPLETED, "done", outputs=(Output("a", "b"),))
    assert run_in_virtual_time(world.writes.finish(world.job, outcome)) is Phase.COMPLETED
    assert world.status["phase"] == "Completed"
    assert "outputs" not in world.status


DETAILED = Outcome(
    Phase.COMPLETED, EndReason.COMPLETED, "done", stage="apply", outputs=(Output("a", "b"),), commit="0" * 40
)
REFUSALS = [
    InvalidError(422, "outputs: too long"),
    ApiError(400, "bad request"),
    TooLargeError(413, "Request entity too large"),
    TooLargeError(500, "etcdserver: request is too large"),
]


@pytest.mark.parametrize("refusal", REFUSALS)
def test_an_end_is_written_with_less_in_it_each_time_that_it_is_refused(refusal: ApiError) -> None:
    world = running()
    world.api.refusals = [refusal]
    assert run_in_virtual_time(world.writes.finish(world.job, DETAILED)) is Phase.COMPLETED
    assert "outputs" not in world.status
    assert world.status["commit"] == "0" * 40
    assert world.status["message"] == f"done Its outputs, resources and stages could not be recorded: {refusal}."
    world = running()
    world.api.refusals = [refusal] * 2
    assert run_in_virtual_time(world.writes.finish(world.job, DETAILED)) is Phase.COMPLETED
    assert "commit" not in world.status
    assert world.status["phase"] == "Completed"


def test_an_import_whose_variables_are_refused_has_failed() -> None:
    world = running()
    world.api.refusals = [REFUSALS[-1]]
    outcome = replace(DONE, variables=(DeclaredVariable("region"),))
    assert run_in_virtual_time(world.writes.finish(world.job, outcome)) is Phase.FAILED
    assert "The variables that the template declares could not be recorded" in world.status["message"]


def test_a_failure_of_the_api_server_that_lies_in_the_details_ends_with_a_try_without_them() -> None:
    world = running()
    send = world.api.json_patch

    async def fails_with_outputs(path: str, patch: JsonPatch) -> dict[str, Any]:
        if any(field == "/status/outputs" for field, _ in patch.sets):
            world.api.requests.append((asyncio.get_running_loop().time(), "patch", path))
            raise InternalError(500, "etcd")
        return await send(path, patch)

    world.api.json_patch = fails_with_outputs  # type: ignore[method-assign]
    assert run_in_virtual_time(world.writes.finish(world.job, DETAILED)) is Phase.COMPLETED
    assert "outputs" not in world.status
    assert len(world.api.times("patch")) == WHOLE_OUTCOME_TRIES + 1


@pytest.mark.parametrize("outage", [UnreachableError("away"), ForbiddenError(403, "no"), InternalError(500, "etcd")])
def test_an_outage_costs_no_details(outage: KubeError) -> None:
    world = running()
    world.api.outage = outage

    def end_of_outage() -> None:
        world.api.outage = None

    assert during(world.writes.finish(world.job, DETAILED), (3600, end_of_outage)) is Phase.COMPLETED
    assert world.status["outputs"] == [{"name": "a", "value": "b"}]


def test_an_end_that_is_refused_without_details_is_abandoned(caplog: pytest.LogCaptureFixture) -> None:
    world = running()
    world.api.refusals = [InvalidError(422, "message: no")] * 9
    assert run_in_virtual_time(world.writes.finish(world.job, DONE)) is None
    assert len(world.api.requests) == 1
    assert "Cannot write the end of job acme/dev-7: message: no (HTTP 422)" in caplog.text


def test_an_end_that_is_refused_for_no_visible_reason_is_not_sent_in_a_hurry() -> None:
    world = running()
    world.api.outage = None
    world.api.refusals = [PreconditionFailedError(422, "denied by a policy")] * 60
    assert run_in_virtual_time(world.writes.finish(world.job, DONE)) is Phase.COMPLETED
    times = world.api.times("patch")
    assert times[1] == times[0]
    assert times[-1] - times[-2] == SLOWEST_RETRY_SECONDS


def test_an_end_that_a_policy_denies_for_a_while_is_written_with_its_details_once_it_is_allowed() -> None:
    world = running()
    world.api.refusals = [DeniedError(422, "ValidatingAdmissionPolicy 'freeze' denied request: not now")] * 5
    outcome = Outcome(Phase.COMPLETED, EndReason.COMPLETED, "done", outputs=(Output("url", "there"),))
    assert run_in_virtual_time(world.writes.finish(world.job, outcome)) is Phase.COMPLETED
    assert world.status["outputs"] == [{"name": "url", "value": "there"}]


def test_a_cancel_that_cannot_be_written_is_not_repeated() -> None:
    world = running()
    world.api.refusals = [UnreachableError("away")]
    assert run_in_virtual_time(world.writes.begin_cancel(world.job)) is None
    assert world.status["phase"] == "Running"
    assert len(world.api.requests) == 1


@pytest.mark.parametrize("refusal", REFUSALS)
def test_an_end_that_is_refused_whatever_is_in_it_is_abandoned_after_a_few_tries(refusal: ApiError) -> None:
    world = running()
    world.api.outage = refusal
    assert run_in_virtual_time(world.writes.finish(world.job, DETAILED)) is None
    assert len(world.api.requests) == 3

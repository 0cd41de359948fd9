"""Jobs as the API server stores them, and the writes that a test applies to them."""

from collections.abc import Callable
from typing import Any

import jsonpatch

from provisioner_operator.api.v1alpha1.enums import CancelReason, EndReason, PendingReason, Phase
from provisioner_operator.core.jobs import status_writes
from provisioner_operator.core.jobs.decisions import Withdraw
from provisioner_operator.core.jobs.outcome import Outcome
from provisioner_operator.core.model.json_patch import JsonPatch, timestamp
from provisioner_operator.core.model.records import Job
from provisioner_operator.kube.parsing import parse_job
from support.builders.core import NOON, a_daemon

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


def deleting(body: Body) -> Body:
    return {**body, "metadata": body["metadata"] | {"deletionTimestamp": timestamp(NOON)}}


def assign(job: Job) -> JsonPatch:
    return status_writes.assign(job, DAEMON, "a1", NOON + 1)


def acknowledge(job: Job) -> JsonPatch:
    return status_writes.acknowledge(job, "process-1", NOON + 2)


def begin_cancel(job: Job) -> JsonPatch:
    return status_writes.begin_cancel(job, NOON + 3)


def explain(job: Job) -> JsonPatch:
    return status_writes.set_pending_reason(job, PendingReason.DAEMONS_BUSY, "They are busy.", NOON + 1)


def withdraw(job: Job) -> JsonPatch:
    return Withdraw(job).patch(NOON + 1)


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

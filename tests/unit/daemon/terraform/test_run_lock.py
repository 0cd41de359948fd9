"""Taking and releasing the lock of a state by a run. The Lease's own answers are tested on a real API server."""

import base64
import gzip
import json
from typing import Any

import pytest
from typing_extensions import override

from provisioner_operator.api.v1alpha1.enums import EndReason
from provisioner_operator.core.states.lock import LOCK_RELEASED, HoldingRun, lock_id, lock_info, new_lock
from provisioner_operator.daemon.execution.provisioner import StageEnd
from provisioner_operator.daemon.terraform.run_lock import RunLock, StateLocks
from provisioner_operator.daemon.terraform.state_removal import is_empty
from provisioner_operator.kube import paths
from provisioner_operator.kube.errors import ForbiddenError, PreconditionFailedError
from provisioner_operator.kube.parsing import parse_job
from provisioner_operator.kube.state_locks import parse_state_lock
from support.virtual_time import now, virtual_time
from unit.daemon.builders import a_daemon_body, a_job_body, a_secret
from unit.daemon.stored_objects import Body, StoredObjects

LOCK_WAIT_SECONDS = 60.0
LARGEST_EMPTY = 1024 * 1024

LEASE = paths.lease("acme", "lock-tfstate-default-dev-ws")
SECRET = paths.secret("acme", "tfstate-default-dev-ws")
FORMER = HoldingRun("dev-6", "uid-of-dev-6", "d2", "its-process", "elsewhere")
FINISHED_AT = 1_767_225_602.0  # 2026-01-01T00:00:02Z


def lease(holder: str | None = None, info: str = "") -> Body:
    body: Body = json.loads(json.dumps(new_lock("dev", holder or "", info)))
    body["metadata"] |= {"uid": "uid-of-lock", "resourceVersion": "5"}
    if holder is None:
        del body["metadata"]["annotations"]
        body["spec"] = {}
    return body


def held_by(run: HoldingRun, assignment: str = "former") -> Body:
    return lease(lock_id(assignment), lock_info(run, assignment, 0.0, "1.0"))


BY_HAND = lease("2e1b", json.dumps({"ID": "2e1b", "Who": "joe@laptop", "Created": "today", "Operation": "apply"}))


def an_ended_job_body() -> Body:
    body = a_job_body("dev-6", phase="Failed")
    body["status"] |= {"reason": "DaemonLost", "finishedAt": "2026-01-01T00:00:02Z"}
    return body


def a_client(**objects: Body) -> StoredObjects:
    known = {
        "lock": LEASE,
        "state": SECRET,
        "job": paths.job("acme", "dev-6"),
        "daemon": paths.daemon("acme", "d2"),
    }
    return StoredObjects({known[name]: body for name, body in objects.items()})


def a_lock(client: StoredObjects, *, clock: float = FINISHED_AT, **spec: Any) -> RunLock:
    job = parse_job(a_job_body("dev-7", phase="Running", **spec))
    lock = StateLocks(client, "d1", "this-process", "here").lock_for(job)
    lock.clock = lambda: clock + now()
    return lock


class Waiting:
    """The run's consent to wait, which ends after so many times."""

    def __init__(self, times: int = 10_000) -> None:
        self.times = times
        self.lines: list[str] = []

    async def wait(self, line: str) -> bool:
        self.lines.append(line)
        return len(self.lines) < self.times


def holder(client: StoredObjects) -> str | None:
    found = parse_state_lock(client.objects[LEASE]).holder
    return None if found is None else found.id


@virtual_time
async def test_a_lock_is_made_taken_and_released() -> None:
    client = a_client()
    for _ in range(2):
        lock = a_lock(client)
        assert await lock.acquire(Waiting().wait) == StageEnd()
        assert holder(client) == "provisioner.dev/a1"
        assert await lock.release(completed=True) == ()
        assert holder(client) is None


@virtual_time
async def test_a_lock_whose_answer_was_lost_is_held() -> None:
    client = a_client(lock=lease())
    client.lost_answers = 1
    assert await a_lock(client).acquire(Waiting().wait) == StageEnd()
    assert holder(client) == "provisioner.dev/a1"


@virtual_time
async def test_the_lock_of_a_run_that_is_over_is_taken_over_with_an_event() -> None:
    client = a_client(lock=held_by(FORMER), job=an_ended_job_body())
    end = await a_lock(client).acquire(Waiting().wait)
    assert "still locked by job dev-6 on daemon d2" in end.lines[0]
    (event,) = (body for path, body in client.objects.items() if "/events/" in path)
    assert (event["reason"], event["regarding"]["name"], event["type"]) == (LOCK_RELEASED, "dev-7", "Normal")
    assert holder(client) == "provisioner.dev/a1"


@virtual_time
async def test_the_lock_of_a_job_of_the_same_name_that_is_gone_is_taken_over() -> None:
    another = a_job_body("dev-6", phase="Running", uid="another")
    assert (await a_lock(a_client(lock=held_by(FORMER), job=another)).acquire(Waiting().wait)).failure is None


@virtual_time
async def test_an_event_that_is_refused_fails_nothing() -> None:
    client = a_client(lock=held_by(FORMER), job=an_ended_job_body())
    client.refusals = [None, ForbiddenError(403, "no")]
    assert (await a_lock(client).acquire(Waiting().wait)).failure is None


@virtual_time
async def test_a_run_that_may_live_keeps_its_lock_and_is_named() -> None:
    client = a_client(lock=held_by(FORMER), job=a_job_body("dev-6", phase="Running"))
    waiting = Waiting()
    failure = (await a_lock(client).acquire(waiting.wait)).failure
    assert failure is not None
    assert failure.reason is EndReason.STATE_LOCKED
    assert "locked by job dev-6 on daemon d2" in failure.message
    assert "workspaces unlock -n acme dev" in failure.message
    assert now() == LOCK_WAIT_SECONDS
    assert "Waiting for the lock of the state: job dev-6 on daemon d2 holds it" in waiting.lines[0]
    assert holder(client) == "provisioner.dev/former"


@virtual_time
async def test_a_lock_that_is_taken_by_hand_is_awaited_for_a_while() -> None:
    client = a_client(lock=BY_HAND)

    class Releasing(Waiting):
        @override
        async def wait(self, line: str) -> bool:
            if len(self.lines) == 3:
                client.store(LEASE, lease())
            return await super().wait(line)

    assert await a_lock(client).acquire(Releasing().wait) == StageEnd()
    failed = await a_lock(a_client(lock=BY_HAND)).acquire(Waiting().wait)
    assert failed.failure is not None
    assert "locked by joe@laptop since today (apply, lock id 2e1b)" in failed.failure.message


@virtual_time
async def test_a_run_waits_until_the_former_one_is_certainly_over_on_another_machine() -> None:
    daemon = a_daemon_body("d2", status={"state": "Idle", "instance": "its-next-process"}, lostAfterSeconds=300)
    client = a_client(lock=held_by(FORMER), job=an_ended_job_body(), daemon=daemon)
    waiting = Waiting()
    assert (await a_lock(client).acquire(waiting.wait)).failure is None
    assert 300 <= now() <= 302
    assert "At 2026-01-01T00:05:02" in waiting.lines[0]


@virtual_time
async def test_a_run_that_is_asked_to_stop_takes_no_lock() -> None:
    client = a_client(lock=BY_HAND)
    lock = a_lock(client)
    assert await lock.acquire(Waiting(2).wait) == StageEnd()
    assert await lock.release(completed=False) == ()
    assert holder(client) == "2e1b"


@virtual_time
async def test_a_lock_that_others_change_all_the_time_is_given_up() -> None:
    client = a_client(lock=lease())
    client.refusals = [PreconditionFailedError(422, "changed")] * 100
    failure = (await a_lock(client).acquire(Waiting().wait)).failure
    assert failure is not None
    assert "could not be taken: changed" in failure.message


@virtual_time
async def test_a_missing_right_is_named() -> None:
    client = a_client(lock=lease())
    client.refusals = [ForbiddenError(403, "no")]
    failure = (await a_lock(client).acquire(Waiting().wait)).failure
    assert failure is not None
    assert "Bind the ClusterRole provisioner-daemon" in failure.message


@virtual_time
async def test_a_lock_that_another_run_has_taken_over_is_left_alone() -> None:
    client = a_client(lock=lease())
    lock = a_lock(client)
    await lock.acquire(Waiting().wait)
    client.store(LEASE, held_by(FORMER))
    await lock.release(completed=True)
    assert holder(client) == "provisioner.dev/former"


@virtual_time
async def test_a_lock_that_cannot_be_released_is_told() -> None:
    client = a_client(lock=lease())
    lock = a_lock(client)
    await lock.acquire(Waiting().wait)
    client.refusals = [ForbiddenError(403, "no")]
    (line,) = await lock.release(completed=True)
    assert "The next run of this workspace takes it over" in line


def a_state(resources: list[object], **fields: object) -> Body:
    text = json.dumps({"version": 4, "resources": resources, **fields})
    body = a_secret(tfstate=gzip.compress(text.encode()))
    return body | {"metadata": {"name": "tfstate-default-dev-ws", "uid": "uid-of-state", "resourceVersion": "9"}}


@pytest.mark.parametrize(
    ("spec", "completed", "resources", "gone"),
    [
        ({"transition": "Delete"}, True, [], True),
        ({"transition": "Delete"}, True, [{"type": "disk"}], False),
        ({"transition": "Delete"}, False, [], False),
        ({"transition": "Stop"}, True, [], False),
    ],
)
@virtual_time
async def test_only_an_empty_state_goes_after_a_completed_destroy(
    spec: dict[str, Any],
    resources: list[object],
    completed: bool,  # noqa: FBT001 - a column
    gone: bool,  # noqa: FBT001
) -> None:
    client = a_client(state=a_state(resources))
    lock = a_lock(client, **spec)
    await lock.acquire(Waiting().wait)
    lines = await lock.release(completed=completed)
    assert (SECRET not in client.objects, LEASE not in client.objects) == (gone, gone)
    if gone:
        assert "its Secret tfstate-default-dev-ws and its lock were removed" in lines[0]
    else:
        assert holder(client) is None


@virtual_time
async def test_the_lock_of_a_destroyed_workspace_without_a_state_goes() -> None:
    client = a_client()
    lock = a_lock(client, transition="Delete")
    await lock.acquire(Waiting().wait)
    assert await lock.release(completed=True) == ()
    assert not client.objects


@virtual_time
async def test_a_state_that_cannot_be_removed_fails_nothing() -> None:
    client = a_client(state=a_state([]))
    lock = a_lock(client, transition="Delete")
    await lock.acquire(Waiting().wait)
    client.refusals = [None, ForbiddenError(403, "no")]
    (line,) = await lock.release(completed=True)
    assert "could not be removed: no" in line


@pytest.mark.parametrize(
    "secret",
    [
        {},
        {"data": {"tfstate": "not base64"}},
        {"data": {"tfstate": base64.b64encode(b"not gzip").decode()}},
        a_secret(tfstate=gzip.compress(b"[]")),
        a_secret(tfstate=gzip.compress(b'{"version": 4, "encrypted_data": ""}')),
        a_secret(tfstate=gzip.compress(b" " * LARGEST_EMPTY + b'{"version": 4, "resources": []}')),
    ],
)
def test_a_state_that_cannot_be_read_is_not_empty(secret: dict[str, Any]) -> None:
    assert not is_empty(secret)

"""Every kind of write refused in every way: how often it is tried, what the object and an Event say, how it recovers."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import pairwise

import pytest

from provisioner_operator.kube import paths
from support.manifests import Manifest
from support.scripted_writes import Answer, Matcher
from support.virtual_controller import NAMESPACE, VirtualController, a_virtual_controller
from support.virtual_loop import run_virtually

RIGHT = Answer(403, {"reason": "Forbidden", "message": 'forbidden: User "operator" cannot create resource "things"'})
POLICY = Answer(
    422,
    {
        "reason": "Invalid",
        "message": "forbidden: ValidatingAdmissionPolicy 'labels' with binding 'all' denied request: a label is missing",
        "details": {"causes": [{"message": "a label is missing"}]},
    },
)
WEBHOOK = Answer(403, {"message": 'admission webhook "w.example.org" denied the request: a label is missing'})
ODD_WEBHOOK = Answer(422, {"message": "a label is missing", "details": {}})
"""In words that nobody knows: it looks like a failed test of a patch."""
INVALID = Answer(
    422,
    {"reason": "Invalid", "message": "spec.x: too long", "details": {"causes": [{"field": "spec.x", "message": ""}]}},
)
TOO_LARGE = Answer(413, {"reason": "RequestEntityTooLarge", "message": "Request entity too large: limit is 3145728"})
BAD = Answer(400, {"reason": "BadRequest", "message": "the object in the data is not valid"})
LASTING = {
    "missing right": RIGHT,
    "policy": POLICY,
    "webhook": WEBHOOK,
    "webhook in odd words": ODD_WEBHOOK,
    "invalid": INVALID,
    "too large": TOO_LARGE,
    "bad request": BAD,
}
ETCD = Answer(500, {"reason": "InternalError", "message": "etcdserver: request timed out"})
QUOTA = Answer(409, {"reason": "Conflict", "message": "Operation cannot be fulfilled on resourcequotas"})

BACKOFF = [0, 1, 3, 7, 15, 31, 63]
"""Seconds after the first try: a pause of one second, doubled each time."""
CREATION_BACKOFF = [0, 10, 30, 70]
"""Of a pool's Pods, whose failures and refusals are one trouble with longer pauses."""
WATCHED = 100.0
TOLERANCE = 1.5
"""The writes in between take some hundredths of a second each, and a pool is looked at at most once a second."""


@dataclass(frozen=True, slots=True)
class Write:
    """One kind of write, and how to bring it about."""

    refused: Matcher
    prepare: Callable[[VirtualController], Awaitable[str]]
    """Has the write made; returns the path of the object that it is about."""
    verb: str
    part: str
    """Of the refused request's path, to count it."""
    reason: str | None
    """Of the object's condition `Ready`; None where the status is what is refused, or has no such condition."""
    tries: tuple[float, ...] = tuple(BACKOFF)


def _is(verb: str, collection: str, *, status: bool = False) -> Matcher:
    def matches(asked: str, path: str) -> bool:
        is_in = path.endswith(f"/{collection}") if verb == "POST" else f"/{collection}/" in path
        return asked == verb and is_in and path.endswith("/status") == status

    return matches


async def _workspace(controller: VirtualController) -> str:
    return controller.add_workspace()


async def _template(controller: VirtualController) -> str:
    return controller.add_template()


async def _template_in_files(controller: VirtualController) -> str:
    return controller.add_template(source={"inline": {"files": {"main.tf": "# nothing"}}}, provisioner="terraform")


async def _pool(controller: VirtualController) -> str:
    return controller.add_pool()


async def _pod(controller: VirtualController) -> str:
    return controller.add_pod()


async def _waiting_job(controller: VirtualController) -> str:
    return controller.add_job("job")


async def _job_with_daemon(controller: VirtualController) -> str:
    controller.add_daemon()
    return controller.add_job("job")


async def _expired_job(controller: VirtualController) -> str:
    path = controller.add_job("job", ttlSecondsAfterFinished=0)
    controller.edit(path, status={"phase": "Failed", "finishedAt": "2027-01-01T00:00:00Z", "reason": "RunFailed"})
    return path


WRITES = {
    "finalizer of a workspace": Write(
        _is("PATCH", "workspaces"), _workspace, "PATCH", "/workspaces/dev", "WriteRefused"
    ),
    "job of a build": Write(_is("POST", "provisionerjobs"), _workspace, "POST", "/provisionerjobs", "BuildRefused"),
    "status of a workspace": Write(
        _is("PATCH", "workspaces", status=True), _workspace, "PATCH", "/workspaces/dev/status", None
    ),
    "finalizer of a template": Write(
        _is("PATCH", "workspacetemplates"), _template, "PATCH", "/workspacetemplates/template", "WriteRefused"
    ),
    "files of a version": Write(_is("POST", "configmaps"), _template_in_files, "POST", "/configmaps", "WriteRefused"),
    "job of an import": Write(_is("POST", "provisionerjobs"), _template, "POST", "/provisionerjobs", "WriteRefused"),
    "status of a template": Write(
        _is("PATCH", "workspacetemplates", status=True), _template, "PATCH", "/workspacetemplates/template/status", None
    ),
    "finalizer of a pool": Write(
        _is("PATCH", "provisionerpools"), _pool, "PATCH", "/provisionerpools/pool", "WriteRefused"
    ),
    "Pod of a pool": Write(_is("POST", "pods"), _pool, "POST", "/pods", "FailedCreate", tries=tuple(CREATION_BACKOFF)),
    "status of a pool": Write(
        _is("PATCH", "provisionerpools", status=True), _pool, "PATCH", "/provisionerpools/pool/status", None
    ),
    "daemon of a Pod": Write(_is("POST", "provisionerdaemons"), _pod, "POST", "/provisionerdaemons", None),
    "explanation of a job": Write(
        _is("PATCH", "provisionerjobs", status=True), _waiting_job, "PATCH", "/provisionerjobs/job/status", None
    ),
    "assignment of a job": Write(
        _is("PATCH", "provisionerjobs", status=True), _job_with_daemon, "PATCH", "/provisionerjobs/job/status", None
    ),
    "deletion of an ended job": Write(
        _is("DELETE", "provisionerjobs"), _expired_job, "DELETE", "/provisionerjobs/job", None
    ),
}
TESTED = {name for name, write in WRITES.items() if write.verb == "PATCH"}
"""Writes whose request carries tests."""


async def _refused(controller: VirtualController, write: Write, answer: Answer) -> tuple[str, list[float]]:
    """Have the write refused for a while; returns the object's path and when it was tried."""
    if write.prepare is _workspace:
        await controller.make_template_ready()
    controller.client.refusals["it"] = (write.refused, answer)
    began = len(controller.client.requests)
    path = await write.prepare(controller)
    await asyncio.sleep(WATCHED)
    tried = [each.at for each in controller.client.requests[began:] if write.refused(each.verb, each.path)]
    return path, tried


def _refusals(controller: VirtualController) -> list[Manifest]:
    return [each for each in controller.events() if each["reason"] in {"WriteRefused", "DaemonRefused"}]


def _after_the_first(tried: list[float]) -> list[float]:
    return [each - tried[0] for each in tried]


@pytest.mark.parametrize("how", LASTING)
@pytest.mark.parametrize("what", WRITES)
def test_what_is_refused_is_said_once_tried_ever_more_seldom_and_recovers(
    what: str, how: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write, answer = WRITES[what], LASTING[how]

    async def main() -> None:
        async with a_virtual_controller(monkeypatch) as controller:
            path, tried = await _refused(controller, write, answer)
            assert _after_the_first(tried) == pytest.approx(list(write.tries), abs=TOLERANCE)
            words = str(answer.body["message"])
            if write.reason is not None:
                ready = controller.condition(path)
                assert (ready["status"], ready["reason"]) == ("False", write.reason)
                assert words in ready["message"]
                assert controller.condition(path, "Stalled")["status"] == "True"
            (event,) = _refusals(controller)
            assert event["regarding"]["name"] == path.rpartition("/")[2]
            assert event["type"] == "Warning"
            is_annotations_fault = what == "daemon of a Pod" and how in {"invalid", "webhook in odd words"}
            assert event["reason"] == ("DaemonRefused" if is_annotations_fault else "WriteRefused")
            assert words in event["note"]
            errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
            assert len(errors) == 1
            assert words in errors[0].getMessage()

            del controller.client.refusals["it"]
            await asyncio.sleep(100)
            if write.reason is not None:
                assert controller.condition(path)["reason"] != write.reason
            settled = len(controller.client.requests)
            await asyncio.sleep(100)
            # An assignment that nobody acknowledges is released, and the like.
            assert len(controller.client.requests) - settled < 5

    run_virtually(main())


@pytest.mark.parametrize("answer", [ETCD, QUOTA], ids=["lost etcd", "conflict of a quota"])
@pytest.mark.parametrize("what", [name for name, write in WRITES.items() if write.tries == tuple(BACKOFF)])
def test_a_transient_refusal_alerts_nobody_and_is_retried_every_few_seconds(
    what: str, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = WRITES[what]

    async def main() -> None:
        async with a_virtual_controller(monkeypatch) as controller:
            path, tried = await _refused(controller, write, answer)
            pauses = [later - earlier for earlier, later in pairwise(tried)]
            assert pauses[:3] == pytest.approx([1, 2, 4], abs=1.1)
            assert pauses[3:] == pytest.approx([5] * len(pauses[3:]), abs=1.1)
            assert len(tried) > 15
            assert _refusals(controller) == []
            if write.reason is not None:
                assert controller.condition(path).get("reason") != write.reason

    run_virtually(main())


@pytest.mark.parametrize("what", sorted(TESTED))
def test_an_object_that_moved_on_is_read_and_decided_anew_at_once(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write = WRITES[what]

    async def main() -> None:
        async with a_virtual_controller(monkeypatch) as controller:
            if write.prepare is _workspace:
                await controller.make_template_ready()
            path = await write.prepare(controller)
            # Somebody else's write that no watch has brought yet.
            label = {**controller.client.objects[path]["metadata"], "finalizers": ["example.org/other"]}
            changed = controller.client.edit(path, metadata=label)
            if "provisionerjobs" in path:
                controller.client.edit(path, status={**changed["status"], "suspendedAt": "2027-01-15T07:59:59Z"})
            await asyncio.sleep(60)
            assert len([each for each in controller.client.requests if each.path == path and each.verb == "GET"]) <= 1
            assert _refusals(controller) == []
            assert len(controller.client.requests) < 20

    run_virtually(main())


@pytest.mark.parametrize("what", ["finalizer of a workspace", "job of a build", "job of an import", "Pod of a pool"])
def test_a_change_of_the_object_tries_it_again_at_once(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write = WRITES[what]

    async def main() -> None:
        async with a_virtual_controller(monkeypatch) as controller:
            path, tried = await _refused(controller, write, POLICY)
            spec = controller.client.objects[path]["spec"]
            wanted = {"tags": {"zone": "b"}} if "workspacetemplates" not in path else {"priority": 5}
            controller.edit(path, spec={**spec, **wanted})
            await asyncio.sleep(1.1)
            again = controller.client.times(write.verb, write.part)
            assert again[-1] > tried[-1]

    run_virtually(main())


def test_a_change_of_the_template_tries_the_build_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    write = WRITES["job of a build"]

    async def main() -> None:
        async with a_virtual_controller(monkeypatch) as controller:
            _, tried = await _refused(controller, write, POLICY)
            template = paths.template(NAMESPACE, "template")
            controller.edit(template, spec={**controller.client.objects[template]["spec"], "priority": 7})
            await asyncio.sleep(0.5)
            assert controller.client.times("POST", "/provisionerjobs")[-1] > tried[-1]

    run_virtually(main())


def test_a_refused_explanation_holds_back_no_assignment(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with a_virtual_controller(monkeypatch) as controller:
            path, _ = await _refused(controller, WRITES["explanation of a job"], POLICY)
            del controller.client.refusals["it"]
            controller.add_daemon()
            await asyncio.sleep(0.5)
            assert controller.client.objects[path]["status"]["assignment"]["daemon"] == "daemon"

    run_virtually(main())


def test_a_refused_status_holds_back_no_build(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with a_virtual_controller(monkeypatch) as controller:
            await controller.make_template_ready()
            controller.client.refusals["it"] = (_is("PATCH", "workspaces", status=True), POLICY)
            path = controller.add_workspace()
            await asyncio.sleep(120)
            assert paths.job(NAMESPACE, "dev-1") in controller.client.objects
            controller.edit(paths.job(NAMESPACE, "dev-1"), status=_ended())
            await asyncio.sleep(0.1)
            spec = controller.client.objects[path]["spec"]
            controller.edit(path, spec={**spec, "running": False})
            await asyncio.sleep(1)
            assert paths.job(NAMESPACE, "dev-2") in controller.client.objects

    run_virtually(main())


def _ended() -> dict[str, object]:
    now = "2027-01-15T08:00:00Z"
    given = {"daemon": "d", "daemonUID": "d", "id": "1", "time": now, "instance": "1"}
    return {"phase": "Completed", "startedAt": now, "finishedAt": now, "assignment": given, "reason": "Completed"}

"""Every kind of write refused in every way: how often it is tried, what the object and an Event say, how it recovers."""

import asyncio
import logging
from itertools import pairwise

import pytest

from provisioner_operator.core.model.backoff import TRANSIENT_FAILURES
from provisioner_operator.kube import paths
from support.object_store import Refusal
from support.refused_writes import (
    BACKOFF,
    ETCD,
    LASTING,
    POLICY,
    QUOTA,
    TESTED,
    WRITES,
    a_workspace,
    is_request,
    refusals,
    refused,
)
from support.virtual_controller import NAMESPACE, VirtualController, with_controller

TOLERANCE = 1.5
"""The writes in between take some hundredths of a second each, and a pool is looked at at most once a second."""


def _after_the_first(tried: list[float]) -> list[float]:
    return [each - tried[0] for each in tried]


@pytest.mark.parametrize("how", LASTING)
@pytest.mark.parametrize("what", WRITES)
@with_controller()
async def test_what_is_refused_is_said_once_tried_ever_more_seldom_and_recovers(
    controller: VirtualController, what: str, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    write, answer = WRITES[what], LASTING[how]
    path, tried = await refused(controller, write, answer)
    assert _after_the_first(tried) == pytest.approx(list(write.tries), abs=TOLERANCE)
    words = str(answer.body["message"])
    if write.reason is not None:
        ready = controller.condition(path)
        assert (ready["status"], ready["reason"]) == ("False", write.reason)
        assert words in ready["message"]
        assert controller.condition(path, "Stalled")["status"] == "True"
    (event,) = refusals(controller)
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


@pytest.mark.parametrize("answer", [ETCD, QUOTA], ids=["lost etcd", "conflict of a quota"])
@pytest.mark.parametrize("what", [name for name, write in WRITES.items() if write.tries == tuple(BACKOFF)])
@with_controller()
async def test_a_transient_refusal_alerts_nobody_and_is_retried_every_few_seconds(
    controller: VirtualController, what: str, answer: Refusal
) -> None:
    write = WRITES[what]
    path, tried = await refused(controller, write, answer)
    pauses = [later - earlier for earlier, later in pairwise(tried)]
    assert pauses[:3] == pytest.approx([1, 2, 4], abs=1.1)
    assert pauses[3:] == pytest.approx([5] * len(pauses[3:]), abs=1.1)
    assert len(tried) > 15
    assert refusals(controller) == []
    if write.reason is not None:
        assert controller.condition(path).get("reason") != write.reason


@pytest.mark.parametrize("what", [name for name, write in WRITES.items() if write.reason is not None])
@with_controller()
async def test_a_transient_refusal_that_lasts_for_minutes_is_said_in_the_status(
    controller: VirtualController, what: str
) -> None:
    write = WRITES[what]
    path, _ = await refused(controller, write, ETCD)
    await asyncio.sleep(5 * TRANSIENT_FAILURES)
    assert controller.condition(path)["reason"] == write.reason
    assert str(ETCD.body["message"]) in controller.condition(path)["message"]

    del controller.client.refusals["it"]
    await asyncio.sleep(300)
    assert controller.condition(path)["reason"] != write.reason


@pytest.mark.parametrize("what", sorted(TESTED))
@with_controller()
async def test_an_object_that_moved_on_is_read_and_decided_anew_at_once(
    controller: VirtualController, what: str
) -> None:
    write = WRITES[what]
    if write.prepare is a_workspace:
        await controller.make_template_ready()
    path = await write.prepare(controller)
    # Somebody else's write that no watch has brought yet.
    label = {**controller.store.objects[path]["metadata"], "finalizers": ["example.org/other"]}
    changed = controller.store.edit(path, metadata=label)
    if "provisionerjobs" in path:
        controller.store.edit(path, status={**changed["status"], "suspendedAt": "2027-01-15T07:59:59Z"})
    await asyncio.sleep(60)
    assert len([each for each in controller.client.requests if each.path == path and each.method == "GET"]) <= 1
    assert refusals(controller) == []
    assert len(controller.client.requests) < 20


@pytest.mark.parametrize("what", ["finalizer of a workspace", "job of a build", "job of an import", "Pod of a pool"])
@with_controller()
async def test_a_change_of_the_object_tries_it_again_at_once(controller: VirtualController, what: str) -> None:
    write = WRITES[what]
    path, tried = await refused(controller, write, POLICY)
    spec = controller.store.objects[path]["spec"]
    wanted = {"tags": {"zone": "b"}} if "workspacetemplates" not in path else {"priority": 5}
    controller.edit(path, spec={**spec, **wanted})
    await asyncio.sleep(1.1)
    again = controller.client.times(write.verb, write.part)
    assert again[-1] > tried[-1]


@with_controller()
async def test_a_change_of_the_template_tries_the_build_again_at_once(controller: VirtualController) -> None:
    write = WRITES["job of a build"]
    _, tried = await refused(controller, write, POLICY)
    template = paths.template(NAMESPACE, "template")
    controller.edit(template, spec={**controller.store.objects[template]["spec"], "priority": 7})
    await asyncio.sleep(0.5)
    assert controller.client.times("POST", "/provisionerjobs")[-1] > tried[-1]


@with_controller()
async def test_a_refused_explanation_holds_back_no_assignment(controller: VirtualController) -> None:
    path, _ = await refused(controller, WRITES["explanation of a job"], POLICY)
    del controller.client.refusals["it"]
    controller.add_daemon()
    await asyncio.sleep(0.5)
    assert controller.store.objects[path]["status"]["assignment"]["daemon"] == "daemon"


@with_controller()
async def test_a_refused_status_holds_back_no_build(controller: VirtualController) -> None:
    await controller.make_template_ready()
    controller.client.refusals["it"] = (is_request("PATCH", "workspaces", status=True), POLICY)
    path = controller.add_workspace()
    await asyncio.sleep(120)
    assert paths.job(NAMESPACE, "dev-1") in controller.store.objects
    controller.edit(paths.job(NAMESPACE, "dev-1"), status=_ended())
    await asyncio.sleep(0.1)
    spec = controller.store.objects[path]["spec"]
    controller.edit(path, spec={**spec, "running": False})
    await asyncio.sleep(1)
    assert paths.job(NAMESPACE, "dev-2") in controller.store.objects


def _ended() -> dict[str, object]:
    now = "2027-01-15T08:00:00Z"
    given = {"daemon": "d", "daemonUID": "d", "id": "1", "time": now, "instance": "1"}
    return {"phase": "Completed", "startedAt": now, "finishedAt": now, "assignment": given, "reason": "Completed"}

"""The writer at work in virtual time: leadership, outages, and one namespace beside another."""

import asyncio

from provisioner_operator.controller import clock
from provisioner_operator.core.scheduling.explanation_places import PLACES
from provisioner_operator.kube import paths
from support.object_store import Refusal
from support.scripted_client import Matcher
from support.virtual_controller import NAMESPACE, VirtualController, with_controller

POLICY = Refusal(422, {"message": "ValidatingAdmissionPolicy 'x' with binding 'y' denied request: no"})
OTHER = "umbrella"


def _of(namespace: str, verb: str = "PATCH") -> Matcher:
    return lambda asked, path: asked == verb and f"/namespaces/{namespace}/provisionerjobs" in path


def _in_contact(controller: VirtualController) -> bool:
    return controller.observer.in_contact


# --- leadership and outages ---


@with_controller()
async def test_who_leads_no_more_sends_nothing_and_decides_anew_when_it_leads_again(
    controller: VirtualController,
) -> None:
    controller.leads = False
    controller.add_daemon(capacity=2)
    path = controller.add_job("job")
    # Decided just before the tenure ended, as by a process that was frozen.
    for decision in controller.reconcilers.jobs.decide(clock.read()):
        controller.writer.submit(decision)
    controller.tenure = 0.0
    await asyncio.sleep(10)
    assert controller.client.requests == []
    assert controller.write_results("Assign") == {"dropped": 1}
    controller.tenure, controller.leads = float("inf"), True
    controller.observer.wake.set()
    await asyncio.sleep(1)
    assert controller.store.objects[path]["status"]["assignment"]["daemon"] == "daemon"


@with_controller()
async def test_in_a_new_term_a_workspace_is_read_before_it_is_built(controller: VirtualController) -> None:
    await controller.make_template_ready()
    path = controller.add_workspace("dev")
    await asyncio.sleep(5)
    for number, reads in ((1, 0), (2, 0), (3, 1)):
        job = paths.job(NAMESPACE, f"dev-{number}")
        assert job in controller.store.objects
        assert [each.method for each in controller.client.requests if each.path == path].count("GET") == reads
        controller.complete(job)
        await asyncio.sleep(5)
        controller.term += number == 2
        spec = controller.store.objects[path]["spec"]
        controller.edit(path, spec={**spec, "running": number % 2 == 0})
        await asyncio.sleep(5)


@with_controller()
async def test_a_write_that_outlasts_the_tenure_is_abandoned_and_decided_anew(controller: VirtualController) -> None:
    controller.client.slow = (_of(NAMESPACE), 20.0)
    controller.tenure = 13.0
    controller.add_daemon()
    path = controller.add_job("job")
    await asyncio.sleep(12)
    controller.client.slow = None
    await asyncio.sleep(2)
    assert controller.write_results("Assign") == {"expired": 1, "ok": 1}
    assert controller.store.objects[path]["status"]["assignment"]["daemon"] == "daemon"


@with_controller()
async def test_a_list_that_outlasts_each_tenure_is_repeated_every_few_seconds(controller: VirtualController) -> None:
    def is_list(verb: str, path: str) -> bool:
        return verb == "GET" and path == paths.workspaces(NAMESPACE)

    path = await controller.make_template_ready()
    controller.client.slow = (is_list, 2.0)
    controller.tenure = 1.0
    deleted = {**controller.store.objects[path]["metadata"], "deletionTimestamp": "2027-01-15T08:00:00Z"}
    controller.edit(path, metadata=deleted)
    await asyncio.sleep(60)
    assert 5 < len(controller.client.sent("GET", paths.workspaces(NAMESPACE))) < 15
    controller.client.slow = None
    await asyncio.sleep(10)
    assert path not in controller.store.objects


@with_controller()
async def test_an_api_server_that_is_away_is_asked_every_few_seconds_and_nothing_is_lost(
    controller: VirtualController,
) -> None:
    controller.client.refusals["away"] = (_of(NAMESPACE), Refusal(503, {"message": "shutting down"}))
    controller.add_daemon()
    path = controller.add_job("job")
    await asyncio.sleep(60)
    assert not _in_contact(controller)
    assert 10 < controller.client.count("PATCH", "/provisionerjobs") < 25
    assert controller.events() == []
    del controller.client.refusals["away"]
    await asyncio.sleep(10)
    assert _in_contact(controller)
    assert controller.store.objects[path]["status"]["assignment"]["daemon"] == "daemon"


@with_controller()
async def test_a_busy_api_server_is_given_the_time_that_it_asks_for(controller: VirtualController) -> None:
    controller.client.refusals["busy"] = (_of(NAMESPACE), Refusal(429, {"message": "too many requests"}))
    controller.add_daemon()
    path = controller.add_job("job")
    await asyncio.sleep(30)
    assert controller.client.count("PATCH", "/provisionerjobs") <= 31
    assert _in_contact(controller)
    del controller.client.refusals["busy"]
    await asyncio.sleep(3)
    assert controller.store.objects[path]["status"]["assignment"]["daemon"] == "daemon"


# --- one namespace beside another ---


def _add_crowd(controller: VirtualController, count: int = 200) -> None:
    controller.add_daemon(capacity=count)
    for number in range(count):
        controller.add_job(f"job-{number:03d}")


async def _assigned_within(controller: VirtualController, path: str, seconds: float) -> bool:
    await asyncio.sleep(seconds)
    return "assignment" in controller.store.objects[path]["status"]


@with_controller()
async def test_slow_writes_of_one_namespace_do_not_hold_up_those_of_another(controller: VirtualController) -> None:
    controller.client.slow = (_of(NAMESPACE), 10.0)
    _add_crowd(controller)
    await asyncio.sleep(1)
    controller.add_daemon(namespace=OTHER)
    assert await _assigned_within(controller, controller.add_job("job", OTHER), 0.1)


@with_controller(writers=2)
async def test_many_writes_of_one_namespace_do_not_hold_up_those_of_another(controller: VirtualController) -> None:
    controller.client.delay = 1.0
    _add_crowd(controller)
    await asyncio.sleep(2)
    controller.add_daemon(namespace=OTHER)
    assert await _assigned_within(controller, controller.add_job("job", OTHER), 3)


@with_controller()
async def test_refused_explanations_of_one_namespace_take_no_place_from_those_of_another(
    controller: VirtualController,
) -> None:
    controller.client.refusals["it"] = (_of(NAMESPACE), POLICY)
    for number in range(2 * PLACES):
        controller.add_job(f"job-{number:03d}")
    await asyncio.sleep(5)
    path = controller.add_job("job", OTHER)
    await asyncio.sleep(3)
    assert controller.store.objects[path]["status"]["reason"] == "NoMatchingDaemon"


@with_controller()
async def test_what_is_submitted_is_drained_before_the_stop(controller: VirtualController) -> None:
    controller.client.delay = 1.0
    _add_crowd(controller, 20)
    await asyncio.sleep(0)
    await controller.writer.drained()
    statuses = [body["status"] for body in controller.store.objects.values() if body["kind"] == "ProvisionerJob"]
    assert all("assignment" in status for status in statuses)

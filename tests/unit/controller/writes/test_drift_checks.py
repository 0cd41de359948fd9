"""Checks for drift by a whole controller, over days of virtual time: what they write, and whose job bears their name."""

import asyncio
from collections import Counter

import pytest

from provisioner_operator.controller import clock
from provisioner_operator.core.model.json_patch import timestamp
from provisioner_operator.core.workspaces.drift.schedule import slot_at
from provisioner_operator.kube import paths
from support.builders.manifests import a_job_manifest
from support.manifests import Manifest
from support.virtual_controller import NAMESPACE, VirtualController, with_controller

pytestmark = pytest.mark.usefixtures("virtual_clock")
HOUR = 3600
JOBS = paths.jobs(NAMESPACE)


async def make_built(controller: VirtualController) -> str:
    """Create a workspace that is built and checked every hour; return its path."""
    await controller.make_template_ready()
    path = controller.add_workspace(driftCheckSeconds=HOUR)
    await asyncio.sleep(5)
    controller.complete(paths.job(NAMESPACE, "dev-1"))
    await asyncio.sleep(5)
    assert controller.condition(path, "Drifted")["reason"] == "NotChecked"
    return path


def checks_of(controller: VirtualController) -> list[Manifest]:
    return [
        body
        for body in controller.store.objects.values()
        if body["kind"] == "ProvisionerJob" and body["spec"]["type"] == "WorkspacePlan"
    ]


def is_pending(job: Manifest) -> bool:
    return bool(job["status"].get("phase", "Pending") == "Pending")


def next_slot(controller: VirtualController, path: str) -> float:
    """Seconds to the workspace's next slot."""
    now = clock.read().wall
    return slot_at(controller.store.objects[path]["metadata"]["uid"], HOUR, now).end - now


def run_all(controller: VirtualController, seconds: float = 9) -> None:
    """Run the checks that wait to their ends, as a daemon that finds nothing changed."""
    for body in checks_of(controller):
        if is_pending(body):
            end = timestamp(clock.read().wall + seconds)
            given = {"daemon": "d", "daemonUID": "d", "id": "1", "time": end, "instance": "1"}
            status = {"phase": "Completed", "startedAt": end, "finishedAt": end, "assignment": given}
            controller.edit(paths.job(NAMESPACE, body["metadata"]["name"]), status=status)


@with_controller()
async def test_a_check_that_finds_nothing_new_costs_one_job_and_one_write_of_the_status(
    controller: VirtualController,
) -> None:
    path = await make_built(controller)
    await asyncio.sleep(next_slot(controller, path) + 1)
    run_all(controller)
    await asyncio.sleep(10)
    assert controller.condition(path, "Drifted")["status"] == "False"
    before = len(controller.client.requests)
    checks = 0
    for _ in range(2 * 24 * 60):
        await asyncio.sleep(60)
        checks += sum(map(is_pending, checks_of(controller)))
        run_all(controller)
        assert len(checks_of(controller)) <= 2

    requests = [each for each in controller.client.requests[before:] if "/events" not in each.path]
    writes = Counter((each.method, each.path.removeprefix(f"{JOBS}/").partition("-drift-")[0]) for each in requests)
    assert 40 <= checks <= 48
    assert writes[("POST", JOBS)] == checks
    assert writes[("PATCH", f"{path}/status")] == checks
    assert writes[("DELETE", "dev")] in (checks, checks - 1, checks + 1)
    assert sum(writes.values()) == 2 * checks + writes[("DELETE", "dev")]


@with_controller()
async def test_a_check_that_a_former_leader_made_in_the_same_slot_is_found_by_its_name(
    controller: VirtualController,
) -> None:
    path = await make_built(controller)
    uid, wait = controller.store.objects[path]["metadata"]["uid"], next_slot(controller, path)
    name = f"dev-drift-{slot_at(uid, HOUR, clock.read().wall + wait).key}"
    reference = {"name": "dev", "uid": uid, "buildNumber": 1, "change": "x"}
    made = controller.store.add(JOBS, a_job_manifest(name, type="WorkspacePlan", workspaceRef=reference))

    await asyncio.sleep(wait + 30)

    assert [each["metadata"]["uid"] for each in checks_of(controller)] == [made["metadata"]["uid"]]
    run_all(controller)
    await asyncio.sleep(10)
    assert controller.store.objects[path]["status"]["drift"]["job"] == name
    assert not controller.write_results("CreateDriftCheck").get("refused")


@with_controller()
async def test_a_job_of_somebody_else_with_the_name_of_a_check_costs_one_slot(controller: VirtualController) -> None:
    path = await make_built(controller)
    uid, wait = controller.store.objects[path]["metadata"]["uid"], next_slot(controller, path)
    slot = slot_at(uid, HOUR, clock.read().wall + wait)
    controller.store.add(JOBS, a_job_manifest(f"dev-drift-{slot.key}", type="TemplateDryRun"), phase="Pending")
    before = controller.client.count("POST", "/provisionerjobs")

    await asyncio.sleep(wait + HOUR)

    assert controller.client.count("POST", "/provisionerjobs") - before <= 9
    (event,) = [each for each in controller.events() if each["reason"] == "WriteRefused"]
    assert f"ProvisionerJob dev-drift-{slot.key} exists, and is another one." in event["note"]
    assert controller.condition(path)["status"] == "True"
    await asyncio.sleep(next_slot(controller, path) + 1)
    assert len(checks_of(controller)) == 1

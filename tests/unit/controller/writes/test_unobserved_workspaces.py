"""Workspaces that a former leader knew and this one has never observed, in virtual time: a list finds them in time."""

import asyncio

from provisioner_operator.kube import paths
from support.builders.manifests import a_workspace_manifest
from support.manifests import Manifest
from support.virtual_controller import NAMESPACE, VirtualController, with_controller

RETENTION = 60


def _create_unseen(controller: VirtualController, **template: str) -> Manifest:
    """Create a workspace that no watch reports."""
    manifest = a_workspace_manifest("unseen", templateRef={"name": "template", **template})
    return controller.store.add(paths.workspaces(NAMESPACE), manifest)


def _lists(controller: VirtualController) -> int:
    return len(controller.client.sent("GET", paths.workspaces(NAMESPACE)))


async def _with_an_old_version(controller: VirtualController) -> tuple[str, str]:
    """Make a template of two versions; return its path and the name of the old one."""
    path = await controller.make_template_ready()
    old = controller.store.objects[path]["status"]["activeVersion"]
    spec = {**controller.store.objects[path]["spec"], "retention": {"versionSeconds": RETENTION}}
    controller.edit(path, spec=spec | {"source": {"inline": {"files": {"main.tf": "# changed"}}}})
    await asyncio.sleep(5)
    (job,) = (each for each in controller.store.objects if "-import" in each and f"/{old}-" not in each)
    controller.complete(job)
    await asyncio.sleep(5)
    return path, old


def _versions(controller: VirtualController, path: str) -> list[str]:
    return [each["name"] for each in controller.store.objects[path]["status"]["versions"]]


@with_controller()
async def test_a_new_leader_keeps_a_version_that_a_workspace_uses_which_its_watch_missed(
    controller: VirtualController,
) -> None:
    path, old = await _with_an_old_version(controller)
    _create_unseen(controller, version=old)
    controller.term = 2
    assert _lists(controller) == 0, "nothing is due yet"
    await asyncio.sleep(2 * RETENTION)
    assert old in _versions(controller, path)
    assert paths.config_map(NAMESPACE, old) in controller.store.objects
    assert _lists(controller) == 1


@with_controller()
async def test_a_version_that_no_listed_workspace_uses_is_discarded(controller: VirtualController) -> None:
    path, old = await _with_an_old_version(controller)
    await asyncio.sleep(2 * RETENTION)
    assert old not in _versions(controller, path)
    assert paths.config_map(NAMESPACE, old) not in controller.store.objects


@with_controller()
async def test_a_new_leader_keeps_a_deleted_template_of_a_workspace_that_its_watch_missed(
    controller: VirtualController,
) -> None:
    path = await controller.make_template_ready()
    _create_unseen(controller)
    controller.term = 2
    meta = controller.store.objects[path]["metadata"]
    controller.edit(path, metadata={**meta, "deletionTimestamp": "2027-01-15T08:00:00Z"})
    await asyncio.sleep(60)
    assert controller.store.objects[path]["metadata"]["finalizers"]
    assert controller.condition(path)["reason"] == "InUse"
    assert _lists(controller) == 1

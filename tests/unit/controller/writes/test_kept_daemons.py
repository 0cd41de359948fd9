"""Writes of the finalizer that keeps a daemon's object until its runs are over, in virtual time."""

import asyncio

from provisioner_operator.api.v1alpha1.names import RUNS_FINALIZER
from support.virtual_controller import VirtualController, with_controller


@with_controller()
async def test_a_daemon_is_kept_before_its_first_job_and_released_after_its_deletion(
    controller: VirtualController,
) -> None:
    path = controller.add_daemon()
    controller.edit(path, metadata={**controller.store.objects[path]["metadata"], "finalizers": ["other"]})
    job = controller.add_job("job")
    await asyncio.sleep(5)
    assert controller.store.objects[path]["metadata"]["finalizers"] == ["other", RUNS_FINALIZER]
    assert controller.store.objects[job]["status"]["assignment"]["daemon"] == "daemon"

    deleted = {**controller.store.objects[path]["metadata"], "deletionTimestamp": "2027-01-15T08:00:00Z"}
    controller.edit(path, metadata=deleted)
    await asyncio.sleep(60)
    assert controller.store.objects[path]["metadata"]["finalizers"] == ["other"]
    assert "assignment" not in controller.store.objects[job]["status"]


@with_controller()
async def test_a_daemon_is_gone_with_its_last_finalizer(controller: VirtualController) -> None:
    path = controller.add_daemon()
    deleted = {**controller.store.objects[path]["metadata"], "deletionTimestamp": "2027-01-15T08:00:00Z"}
    controller.edit(path, metadata=deleted)
    await asyncio.sleep(5)
    assert path not in controller.store.objects
    assert list(controller.reconcilers.jobs.daemons()) == []


@with_controller()
async def test_a_deleted_daemon_that_cannot_be_parsed_is_gone_after_its_time(controller: VirtualController) -> None:
    path = controller.add_daemon()
    deleted = {**controller.store.objects[path]["metadata"], "deletionTimestamp": "2027-01-15T08:00:00Z"}
    controller.edit(path, metadata=deleted, status={"lastHeartbeatTime": "0000-01-01T00:00:00Z"})
    await asyncio.sleep(86_390)
    assert path in controller.store.objects
    await asyncio.sleep(20)
    assert path not in controller.store.objects
    assert controller.reconcilers.jobs.uids()[1] == frozenset()


@with_controller()
async def test_a_finalizer_that_another_writer_added_meanwhile_is_kept(controller: VirtualController) -> None:
    path = controller.add_daemon()
    controller.edit(path, metadata={**controller.store.objects[path]["metadata"], "finalizers": []})
    metadata = {**controller.store.objects[path]["metadata"], "finalizers": ["other"]}
    controller.store.edit(path, metadata=metadata)  # unobserved
    await asyncio.sleep(5)
    assert controller.store.objects[path]["metadata"]["finalizers"] == ["other", RUNS_FINALIZER]

"""Deletions that a finalizer holds up, in virtual time: each is requested once, and the object is not taken for gone."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from support.virtual_controller import VirtualController, with_controller


async def _an_expired_job(controller: VirtualController) -> str:
    path = controller.add_job("over", ttlSecondsAfterFinished=10, cancel=True)
    _hold(controller, path)
    await asyncio.sleep(60)
    return path


async def _a_daemon_of_a_former_pod(controller: VirtualController) -> str:
    path = controller.add_daemon("pod")
    _hold(controller, path, ownerReferences=[{"kind": "Pod", "uid": "uid-of-the-former"}])
    controller.add_pod("pod")
    await asyncio.sleep(60)
    return path


def _hold(controller: VirtualController, path: str, **changes: object) -> None:
    meta = controller.store.objects[path]["metadata"]
    controller.edit(path, metadata={**meta, "finalizers": ["example.com/hold"], **changes})


@pytest.mark.parametrize("prepare", [_an_expired_job, _a_daemon_of_a_former_pod])
@with_controller()
async def test_a_deletion_that_is_held_up_is_requested_once(
    controller: VirtualController, prepare: Callable[[VirtualController], Awaitable[str]]
) -> None:
    path = await prepare(controller)
    assert "deletionTimestamp" in controller.store.objects[path]["metadata"]
    assert controller.client.count("DELETE", path) == 1

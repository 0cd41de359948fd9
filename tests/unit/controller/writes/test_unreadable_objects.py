"""Objects that cannot be parsed, in virtual time: nothing is written about them until they can be."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from provisioner_operator.kube import paths
from support.virtual_controller import NAMESPACE, VirtualController, with_controller

# --- names that are taken ---


# --- objects of a later version ---


async def _workspace(controller: VirtualController) -> tuple[str, Callable[[], object]]:
    await controller.make_template_ready()
    path = controller.add_workspace()
    end = {"phase": "Canceled", "finishedAt": "2027-01-15T08:00:00Z", "reason": "Canceled"}
    return path, lambda: controller.edit(paths.job(NAMESPACE, "dev-1"), status=end)


async def _template(controller: VirtualController) -> tuple[str, Callable[[], object]]:
    return controller.add_template(), controller.add_workspace


async def _pool(controller: VirtualController) -> tuple[str, Callable[[], object]]:
    path = controller.add_pool(replicas=1)

    def fail() -> None:
        pod = next(each for each in controller.store.objects if "/pods/" in each)
        controller.edit(pod, status={"phase": "Failed"})

    return path, fail


@pytest.mark.parametrize(
    ("prepare", "later"),
    [(_workspace, {"updatePolicy": "Later"}), (_template, {"provisioner": "later"}), (_pool, {"capacity": "later"})],
    ids=["workspace", "template", "pool"],
)
@with_controller()
async def test_nothing_is_written_of_an_object_that_cannot_be_read_until_it_can_be(
    controller: VirtualController,
    prepare: Callable[[VirtualController], Awaitable[tuple[str, Callable[[], object]]]],
    later: dict[str, str],
) -> None:
    path, change = await prepare(controller)
    await asyncio.sleep(5)
    spec = controller.store.objects[path]["spec"]
    controller.edit(path, spec={**spec, **later})
    change()
    before = len(controller.client.requests)
    await asyncio.sleep(20)
    assert [each for each in controller.client.requests[before:] if path in each.path] == []
    controller.edit(path, spec=spec)
    await asyncio.sleep(10)
    assert [each.path for each in controller.client.requests[before:] if path in each.path] == [f"{path}/status"]


@pytest.mark.parametrize("is_first", [True, False], ids=["job first", "workspace first"])
@pytest.mark.parametrize(("owner", "says"), [("alice", 'belongs to "alice"'), (7, "cannot be parsed")])
@with_controller()
async def test_a_job_of_a_workspace_that_could_never_be_read_is_refused(
    controller: VirtualController, *, owner: object, says: str, is_first: bool
) -> None:
    path = controller.add_job("job", workspaceRef={"name": "dev"}, initiator="mallory") if is_first else ""
    await asyncio.sleep(5)
    controller.add_workspace(owner=owner, updatePolicy="Later")
    path = path or controller.add_job("job", workspaceRef={"name": "dev"}, initiator="mallory")
    await asyncio.sleep(5)
    status = controller.store.objects[path]["status"]
    assert (status["phase"], status["reason"]) == ("Failed", "NotWorkspaceOwner")
    assert says in status["message"]


@with_controller()
async def test_a_daemon_that_cannot_be_read_is_not_cordoned_until_it_can_be(controller: VirtualController) -> None:
    pool = controller.add_pool(replicas=1)
    await asyncio.sleep(5)
    (daemon,) = (each for each in controller.store.objects if "/provisionerdaemons/" in each)
    spec = controller.store.objects[daemon]["spec"]
    controller.edit(daemon, spec={**spec, "lostAfterSeconds": "later"})
    before = len(controller.client.requests)
    controller.edit(pool, spec={**controller.store.objects[pool]["spec"], "replicas": 0})
    await asyncio.sleep(20)
    assert [each for each in controller.client.requests[before:] if daemon in each.path] == []
    controller.edit(daemon, spec=spec)
    await asyncio.sleep(5)
    assert controller.store.objects[daemon]["spec"]["cordoned"]


@with_controller()
async def test_a_build_that_cannot_be_read_is_not_superseded_again_and_again(controller: VirtualController) -> None:
    await controller.make_template_ready()
    path = controller.add_workspace()
    await asyncio.sleep(5)
    job = paths.job(NAMESPACE, "dev-1")
    controller.edit(job, spec={**controller.store.objects[job]["spec"], "type": "OfALaterVersion"})
    before = len(controller.client.requests)
    controller.edit(path, spec={**controller.store.objects[path]["spec"], "rebuildGeneration": 1})
    await asyncio.sleep(20)
    assert len([each for each in controller.client.requests[before:] if job in each.path]) <= 10
    assert controller.condition(path)["reason"] == "WriteRefused"

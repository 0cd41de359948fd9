"""Definitions that are older than the controller: the API server leaves out a field, so that a write changes nothing."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from provisioner_operator.kube import paths
from support.manifests import Manifest
from support.refused_writes import BACKOFF, WATCHED, refusals
from support.virtual_controller import NAMESPACE, VirtualController, with_controller


async def _template(controller: VirtualController) -> str:
    return controller.add_template()


async def _workspace(controller: VirtualController) -> str:
    await controller.make_template_ready()
    return controller.add_workspace()


async def _pool(controller: VirtualController) -> str:
    return controller.add_pool()


async def _waiting_job(controller: VirtualController) -> str:
    return controller.add_job("job")


async def _job_with_daemon(controller: VirtualController) -> str:
    controller.add_daemon()
    return controller.add_job("job")


async def _reshaped_daemon(controller: VirtualController) -> str:
    path = controller.add_pod()
    await asyncio.sleep(1)
    metadata = controller.store.objects[path]["metadata"]
    annotations = {**metadata["annotations"], "tags.provisioner.dev/zone": "a"}
    controller.edit(path, metadata={**metadata, "annotations": annotations})
    return paths.daemon(NAMESPACE, "pod")


@pytest.mark.parametrize(
    ("prepare", "unknown"),
    [
        (_template, "/status/observedGeneration"),
        (_workspace, "/status/observedGeneration"),
        (_pool, "/status/observedGeneration"),
        (_waiting_job, "/status/reason"),
        (_job_with_daemon, "/status/assignment"),
        (_reshaped_daemon, "/spec/tags"),
    ],
)
@with_controller()
async def test_a_field_that_the_definitions_lack_is_written_ever_more_seldom_and_an_event_says_what_to_do(
    controller: VirtualController, prepare: Callable[[VirtualController], Awaitable[str]], unknown: str
) -> None:
    _, part, field = unknown.split("/")

    def found(body: Manifest) -> object:
        return body[part].get(field)

    path = await prepare(controller)
    controller.store.unknown = unknown
    await asyncio.sleep(WATCHED)
    # The first writes have an effect on other fields.
    assert len(BACKOFF) - 2 <= controller.client.count("PATCH", path) <= len(BACKOFF) + 5
    (event,) = (each for each in refusals(controller) if each["regarding"]["name"] == path.rpartition("/")[2])
    assert "kubectl apply -k crds" in event["note"]
    assert found(controller.store.objects[path]) is None

    controller.store.unknown = None
    seen = []
    for _ in range(int(WATCHED)):
        await asyncio.sleep(1)
        seen.append(found(controller.store.objects[path]))
    assert any(seen)  # an assignment that nobody acknowledges is released

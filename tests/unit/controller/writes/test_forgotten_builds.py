"""Deleted workspaces of whose builds neither a job nor a status tells, in virtual time: the lock of a state does."""

import asyncio

import pytest

from provisioner_operator.api.v1alpha1.names import DESTROY_FINALIZER
from provisioner_operator.core.states.lock import lock_lease
from provisioner_operator.kube import paths
from support.builders.manifests import a_workspace_manifest
from support.virtual_controller import NAMESPACE, VirtualController, with_controller

WORKSPACE = paths.workspace(NAMESPACE, "dev")
DESTROY = paths.job(NAMESPACE, "dev-1")


async def _delete_one_that_seems_never_built(controller: VirtualController, *, state_begun: str | None) -> None:
    """Delete a workspace of 08:00, which nobody observes before, and whose state was begun at that time."""
    await controller.make_template_ready()
    if state_begun is not None:
        made = {"creationTimestamp": state_begun}
        lease = {"kind": "Lease", "metadata": {"name": lock_lease("dev"), **made}}
        controller.store.add(paths.leases(NAMESPACE), lease)
    workspace = a_workspace_manifest("dev")
    times = {"creationTimestamp": "2027-01-15T08:00:00Z", "deletionTimestamp": "2027-01-15T08:01:00Z"}
    meta = {**workspace["metadata"], **times, "finalizers": [DESTROY_FINALIZER]}
    controller.see(controller.store.add(paths.workspaces(NAMESPACE), {**workspace, "metadata": meta}))
    await asyncio.sleep(5)


@pytest.mark.parametrize("state_begun", ["2027-01-15T08:00:00Z", "2027-01-15T08:00:30Z"])
@with_controller()
async def test_a_state_that_was_begun_since_is_destroyed_before_the_workspace_goes(
    controller: VirtualController, state_begun: str
) -> None:
    await _delete_one_that_seems_never_built(controller, state_begun=state_begun)
    assert controller.store.objects[DESTROY]["spec"]["transition"] == "Delete"
    assert WORKSPACE in controller.store.objects
    controller.complete(DESTROY)
    await asyncio.sleep(5)
    assert WORKSPACE not in controller.store.objects


@pytest.mark.parametrize("state_begun", [None, "2027-01-15T07:59:59Z"], ids=["no state", "of a former workspace"])
@with_controller()
async def test_nothing_is_destroyed_of_a_workspace_that_began_no_state(
    controller: VirtualController, state_begun: str | None
) -> None:
    await _delete_one_that_seems_never_built(controller, state_begun=state_begun)
    assert WORKSPACE not in controller.store.objects
    assert DESTROY not in controller.store.objects

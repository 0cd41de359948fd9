"""Pods that a former leader knew and this one has never observed, in virtual time: each is read before its absence counts."""

import asyncio

from provisioner_operator.kube import paths
from support.manifests import Manifest
from support.virtual_controller import NAMESPACE, VirtualController, with_controller


def _pods(controller: VirtualController) -> list[str]:
    return sorted(each for each in controller.store.objects if "/pods/" in each)


def _unseen(controller: VirtualController, path: str, **metadata: object) -> Manifest:
    """Put another object in the place of this one, which no watch reports."""
    body = controller.store.objects.pop(path)
    meta = {key: value for key, value in body["metadata"].items() if key != "uid"}
    return controller.store.add(path.rpartition("/")[0], {**body, "metadata": {**meta, **metadata}}, **body["status"])


@with_controller()
async def test_a_new_leader_creates_no_pods_beside_those_that_its_watch_missed(controller: VirtualController) -> None:
    controller.add_pool(replicas=1)
    await asyncio.sleep(5)
    (pod,) = _pods(controller)
    controller.leads = False
    known = controller.store.objects[pod]["metadata"]["uid"]
    _unseen(controller, pod, name="pool-of-the-former-leader")
    controller.observer.pod_deleted(known, NAMESPACE)
    controller.leads, controller.term = True, 2
    controller.observer.wake.set()
    await asyncio.sleep(60)
    assert [each.rpartition("/")[2] for each in _pods(controller)] == ["pool-of-the-former-leader"]


@with_controller()
async def test_the_daemon_of_a_pod_that_was_never_observed_is_not_removed(controller: VirtualController) -> None:
    pod = controller.add_pod("pod")
    successor = _unseen(controller, pod)
    path = controller.add_daemon("pod")
    owner = {"kind": "Pod", "uid": successor["metadata"]["uid"]}
    controller.edit(path, metadata={**controller.store.objects[path]["metadata"], "ownerReferences": [owner]})
    await asyncio.sleep(60)
    assert path in controller.store.objects
    assert controller.client.count("DELETE", path) == 0
    assert set(controller.reconcilers.jobs.pod_uids()) == {successor["metadata"]["uid"]}


@with_controller()
async def test_the_daemon_of_a_former_pod_is_removed_once_a_read_shows_the_new_pod(
    controller: VirtualController,
) -> None:
    path = controller.add_daemon("pod", lostAfterSeconds=15)
    owner = {"kind": "Pod", "uid": "uid-of-the-former"}
    former = controller.edit(path, metadata={**controller.store.objects[path]["metadata"], "ownerReferences": [owner]})
    pod = controller.add_pod("pod")
    await asyncio.sleep(60)
    assert controller.store.objects[path]["metadata"]["uid"] != former["metadata"]["uid"]
    assert controller.client.count("GET", pod) >= 1


@with_controller()
async def test_a_list_that_lacks_a_pod_makes_room_for_another(controller: VirtualController) -> None:
    controller.add_pool(replicas=1)
    await asyncio.sleep(5)
    (gone,) = _pods(controller)
    del controller.store.objects[gone]
    controller.term = 2
    pool = controller.store.objects[paths.pool(NAMESPACE, "pool")]
    controller.edit(paths.pool(NAMESPACE, "pool"), spec={**pool["spec"], "replicas": 2})
    await asyncio.sleep(60)
    assert len(_pods(controller)) == 2
    assert gone not in _pods(controller)

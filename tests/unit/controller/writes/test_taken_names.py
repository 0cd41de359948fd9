"""Creations whose name is taken, in virtual time: each costs a bounded number of requests."""

import asyncio

import pytest

from provisioner_operator.kube import paths
from support.builders.manifests import a_job_manifest
from support.object_store import Refusal
from support.virtual_controller import NAMESPACE, VirtualController, with_controller


@with_controller()
async def test_a_build_whose_name_is_taken_gets_the_next_number_at_the_price_of_one_creation_and_one_read(
    controller: VirtualController,
) -> None:
    await controller.make_template_ready()
    controller.add_job("blk-1", suspend=True)
    await asyncio.sleep(5)
    before = len(controller.client.requests)
    path = controller.add_workspace("blk")
    await asyncio.sleep(300)
    jobs = [each for each in controller.client.requests[before:] if "/provisionerjobs" in each.path]
    assert [(each.method, each.path.rpartition("/")[2]) for each in jobs] == [
        ("POST", "provisionerjobs"),
        ("GET", "blk-1"),
        ("POST", "provisionerjobs"),
    ]
    assert controller.store.objects[path]["status"]["latestBuild"]["job"] == "blk-2"
    assert controller.write_results("CreateBuild") == {"conflict": 1, "ok": 1}


@with_controller()
async def test_every_number_is_tried_once_until_one_is_free(controller: VirtualController) -> None:
    await controller.make_template_ready()
    for number in range(1, 6):
        controller.add_job(f"blk-{number}", suspend=True)
    controller.add_workspace("blk")
    await asyncio.sleep(60)
    assert controller.write_results("CreateBuild") == {"conflict": 5, "ok": 1}


@with_controller()
async def test_a_build_whose_creation_was_not_answered_is_found_and_not_made_again(
    controller: VirtualController,
) -> None:
    await controller.make_template_ready()
    create = controller.client.create

    async def unanswered(path: str, body: dict[str, object]) -> dict[str, object]:
        await create(path, body)
        controller.client.create = create  # type: ignore[method-assign]
        raise Refusal(503, {"message": "the connection was lost"}).error()

    controller.client.create = unanswered  # type: ignore[assignment]
    path = controller.add_workspace("blk")
    await asyncio.sleep(60)
    assert controller.store.objects[path]["status"]["latestBuild"]["job"] == "blk-1"
    assert paths.job(NAMESPACE, "blk-2") not in controller.store.objects


@with_controller()
async def test_a_version_whose_names_are_taken_says_so_and_is_imported_once_they_are_free(
    controller: VirtualController,
) -> None:
    template = await controller.make_template_ready()
    spec = controller.store.objects[template]["spec"]
    controller.edit(template, spec={**spec, "importGeneration": 1})
    await asyncio.sleep(5)
    imported = [each for each in controller.store.objects if each.endswith("-import")][1]
    kept = [each for each in controller.store.objects if "/configmaps/" in each][1]
    # The same template again, of another uid, finds the job of the former one in its way.
    former = controller.store.objects.pop(template)
    controller.observer.template_deleted(former["metadata"]["uid"])
    manifest = {**former, "metadata": {"name": "template"}}
    controller.see(controller.store.add(paths.templates(NAMESPACE), manifest, workspaces=0))
    await asyncio.sleep(60)
    for kind, taken in (("ConfigMap", kept), ("provisionerjobs", imported)):
        ready = controller.condition(template)
        assert (ready["status"], ready["reason"]) == ("False", "WriteRefused")
        assert f"{kind} {taken.rpartition('/')[2]} exists but does not belong to this template" in ready["message"]
        assert controller.client.count("POST", "/provisionerjobs") <= 10
        del controller.store.objects[taken]
        await asyncio.sleep(150)
    assert controller.condition(template)["reason"] == "Importing"


@with_controller()
async def test_files_that_somebody_else_put_under_a_versions_name_are_not_taken_for_the_versions(
    controller: VirtualController,
) -> None:
    template = await controller.make_template_ready()
    (kept,) = [each for each in controller.store.objects if "/configmaps/" in each]
    former = controller.store.objects.pop(template)
    controller.observer.template_deleted(former["metadata"]["uid"])
    manifest = {**former, "metadata": {"name": "template"}}
    body = controller.store.add(paths.templates(NAMESPACE), manifest, workspaces=0)
    planted = controller.store.objects[kept]
    planted["metadata"]["ownerReferences"][0]["uid"] = body["metadata"]["uid"]
    planted["data"] = {"main.tf": "# other files"}
    controller.see(body)
    await asyncio.sleep(60)
    ready = controller.condition(template)
    assert (ready["status"], ready["reason"]) == ("False", "WriteRefused")
    assert "does not belong to this template, or has other files" in ready["message"]


@with_controller()
async def test_a_pod_whose_daemon_cannot_be_read_is_not_registered_again_and_again(
    controller: VirtualController,
) -> None:
    broken = {
        "apiVersion": "provisioner.dev/v1alpha1",
        "kind": "ProvisionerDaemon",
        "metadata": {"name": "pod"},
        "spec": {"capacity": "many"},
    }
    controller.store.add(paths.daemons(NAMESPACE), broken)
    controller.add_pod("pod")
    await asyncio.sleep(100)
    assert controller.client.count("POST", "/provisionerdaemons") == 7
    (event,) = [each for each in controller.events() if each["reason"] == "WriteRefused"]
    assert "does not fit this version" in event["note"]


@with_controller()
async def test_a_build_whose_own_job_cannot_be_read_is_not_made_again_and_again(controller: VirtualController) -> None:
    await controller.make_template_ready()
    path = controller.add_workspace("blk", running=False)
    await asyncio.sleep(5)
    workspace = controller.store.objects[path]
    ref = {"name": "blk", "uid": workspace["metadata"]["uid"], "buildNumber": 1, "change": "c"}
    broken = {
        "apiVersion": "provisioner.dev/v1alpha1",
        "kind": "ProvisionerJob",
        "metadata": {"name": "blk-1"},
        "spec": {"type": "OfALaterVersion", "workspaceRef": ref},
    }
    controller.store.add(paths.jobs(NAMESPACE), broken)
    before = controller.client.count("POST", "/provisionerjobs")
    controller.edit(path, spec={**workspace["spec"], "running": True})
    await asyncio.sleep(100)
    assert controller.client.count("POST", "/provisionerjobs") - before == 7
    assert paths.job(NAMESPACE, "blk-2") not in controller.store.objects
    assert controller.condition(path)["reason"] == "BuildRefused"
    assert "does not fit this version" in controller.condition(path)["message"]


@pytest.mark.parametrize("number", [None, 7], ids=["no number", "another number"])
@with_controller()
async def test_a_job_that_claims_to_be_a_build_of_the_workspace_and_is_none_costs_its_number(
    controller: VirtualController, number: int | None
) -> None:
    await controller.make_template_ready()
    path = controller.add_workspace("blk", running=False)
    await asyncio.sleep(5)
    workspace = controller.store.objects[path]
    ref = {"name": "other", "uid": workspace["metadata"]["uid"]} | ({"buildNumber": number} if number else {})
    controller.store.add(paths.jobs(NAMESPACE), a_job_manifest("blk-1", workspaceRef=ref), phase="Pending")
    before = controller.client.count("POST", "/provisionerjobs")
    controller.edit(path, spec={**workspace["spec"], "running": True})
    await asyncio.sleep(100)
    assert controller.client.count("POST", "/provisionerjobs") - before <= 2


@pytest.mark.parametrize("claim", [{}, {"version": "another"}], ids=["no version", "another version"])
@with_controller()
async def test_a_job_that_claims_to_be_an_import_of_the_template_and_is_none_is_in_its_way(
    controller: VirtualController, claim: dict[str, str]
) -> None:
    path = controller.add_template()
    await asyncio.sleep(5)
    (job,) = (each for each in controller.store.objects if "/provisionerjobs/" in each)
    body = controller.store.objects[job]
    uid = controller.store.objects[path]["metadata"]["uid"]
    body["spec"] = {**body["spec"], "templateRef": {"name": "template", "uid": uid} | claim}
    controller.observer.job_deleted(body["metadata"]["uid"])
    before = len(controller.client.requests)
    controller.edit(path, status={})
    await asyncio.sleep(100)
    asked = [each for each in controller.client.requests[before:] if "/provisionerjobs" in each.path]
    assert len(asked) <= 16
    assert "does not belong to this template" in controller.condition(path)["message"]


@pytest.mark.parametrize("is_known", [False, True], ids=["taken name", "version that is being imported"])
@with_controller()
async def test_an_import_whose_own_job_cannot_be_read_is_not_made_or_read_again_and_again(
    controller: VirtualController, *, is_known: bool
) -> None:
    path = controller.add_template()
    await asyncio.sleep(5)
    (job,) = (each for each in controller.store.objects if "/provisionerjobs/" in each)
    body = controller.store.objects[job]
    body["spec"] = {**body["spec"], "type": "OfALaterVersion"}
    # The next controller knows no more than the objects say.
    controller.observer.job_deleted(body["metadata"]["uid"])
    template = controller.store.objects[path]
    status = template["status"] if is_known else {}
    before = len(controller.client.requests)
    controller.edit(path, status=status)
    await asyncio.sleep(100)
    asked = [each for each in controller.client.requests[before:] if "/provisionerjobs" in each.path]
    assert len(asked) <= 16
    assert controller.condition(path)["reason"] == "WriteRefused"
    assert "does not fit this version" in controller.condition(path)["message"]

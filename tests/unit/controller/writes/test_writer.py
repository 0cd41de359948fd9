"""The writer at work in virtual time: names that are taken, leadership, outages, and one namespace beside another."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from provisioner_operator.controller import clock
from provisioner_operator.core.reconcilers.jobs import EXPLAINED_AT_A_TIME
from provisioner_operator.kube import paths
from support.builders.manifests import a_job_manifest
from support.scripted_writes import Answer, Matcher
from support.virtual_controller import NAMESPACE, VirtualController, a_virtual_controller
from support.virtual_loop import run_virtually

POLICY = Answer(422, {"message": "ValidatingAdmissionPolicy 'x' with binding 'y' denied request: no"})
OTHER = "umbrella"


def _of(namespace: str, verb: str = "PATCH") -> Matcher:
    return lambda asked, path: asked == verb and f"/namespaces/{namespace}/provisionerjobs" in path


def _counted(controller: VirtualController, kind: str) -> dict[str, float]:
    found = {}
    for metric in controller.metrics.registry.collect():
        for sample in metric.samples:
            if sample.name == "provisioner_api_writes_total" and sample.labels["kind"] == kind:
                found[sample.labels["result"]] = sample.value
    return found


def _in_contact(controller: VirtualController) -> bool:
    return controller.observer.in_contact


# --- names that are taken ---


def test_a_build_whose_name_is_taken_gets_the_next_number_at_the_price_of_one_creation_and_one_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def main() -> None:
        async with a_virtual_controller(monkeypatch) as controller:
            await controller.make_template_ready()
            controller.add_job("blk-1", suspend=True)
            await asyncio.sleep(5)
            before = len(controller.client.requests)
            path = controller.add_workspace("blk")
            await asyncio.sleep(300)
            jobs = [each for each in controller.client.requests[before:] if "/provisionerjobs" in each.path]
            assert [(each.verb, each.path.rpartition("/")[2]) for each in jobs] == [
                ("POST", "provisionerjobs"),
                ("GET", "blk-1"),
                ("POST", "provisionerjobs"),
            ]
            assert controller.client.objects[path]["status"]["latestBuild"]["job"] == "blk-2"
            assert _counted(controller, "CreateBuild") == {"conflict": 1, "ok": 1}

    run_virtually(main())


def test_every_number_is_tried_once_until_one_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with a_virtual_controller(monkeypatch) as controller:
            await controller.make_template_ready()
            for number in range(1, 6):
                controller.add_job(f"blk-{number}", suspend=True)
            controller.add_workspace("blk")
            await asyncio.sleep(60)
            assert _counted(controller, "CreateBuild") == {"conflict": 5, "ok": 1}

    run_virtually(main())


def test_a_build_whose_creation_was_not_answered_is_found_and_not_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with a_virtual_controller(monkeypatch) as controller:
            await controller.make_template_ready()
            create = controller.client.create

            async def unanswered(path: str, body: dict[str, object]) -> dict[str, object]:
                await create(path, body)
                controller.client.create = create  # type: ignore[method-assign]
                raise Answer(503, {"message": "the connection was lost"}).error()

            controller.client.create = unanswered  # type: ignore[assignment]
            path = controller.add_workspace("blk")
            await asyncio.sleep(60)
            assert controller.client.objects[path]["status"]["latestBuild"]["job"] == "blk-1"
            assert paths.job(NAMESPACE, "blk-2") not in controller.client.objects

    run_virtually(main())


def test_a_version_whose_names_are_taken_says_so_and_is_imported_once_they_are_free(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def main() -> None:
        async with a_virtual_controller(monkeypatch) as controller:
            template = await controller.make_template_ready()
            spec = controller.client.objects[template]["spec"]
            controller.edit(template, spec={**spec, "importGeneration": 1})
            await asyncio.sleep(5)
            imported = [each for each in controller.client.objects if each.endswith("-import")][1]
            kept = [each for each in controller.client.objects if "/configmaps/" in each][1]
            # The same template again, of another uid, finds the job of the former one in its way.
            former = controller.client.objects.pop(template)
            controller.observer.template_deleted(former["metadata"]["uid"])
            manifest = {**former, "metadata": {"name": "template"}}
            controller.see(controller.client.store(paths.templates(NAMESPACE), manifest, workspaces=0))
            await asyncio.sleep(60)
            for kind, taken in (("ConfigMap", kept), ("provisionerjobs", imported)):
                ready = controller.condition(template)
                assert (ready["status"], ready["reason"]) == ("False", "WriteRefused")
                assert (
                    f"{kind} {taken.rpartition('/')[2]} exists but does not belong to this template" in ready["message"]
                )
                assert controller.client.count("POST", "/provisionerjobs") <= 10
                del controller.client.objects[taken]
                await asyncio.sleep(150)
            assert controller.condition(template)["reason"] == "Importing"

    run_virtually(main())


def test_a_pod_whose_daemon_cannot_be_read_is_not_registered_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with a_virtual_controller(monkeypatch) as controller:
            broken = {
                "apiVersion": "provisioner.dev/v1alpha1",
                "kind": "ProvisionerDaemon",
                "metadata": {"name": "pod"},
                "spec": {"capacity": "many"},
            }
            controller.client.store(paths.daemons(NAMESPACE), broken)
            controller.add_pod("pod")
            await asyncio.sleep(100)
            assert controller.client.count("POST", "/provisionerdaemons") == 7
            (event,) = [each for each in controller.events() if each["reason"] == "WriteRefused"]
            assert "does not fit this version" in event["note"]

    run_virtually(main())


def test_a_build_whose_own_job_cannot_be_read_is_not_made_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with a_virtual_controller(monkeypatch) as controller:
            await controller.make_template_ready()
            path = controller.add_workspace("blk", running=False)
            await asyncio.sleep(5)
            workspace = controller.client.objects[path]
            ref = {"name": "blk", "uid": workspace["metadata"]["uid"], "buildNumber": 1, "change": "c"}
            broken = {
                "apiVersion": "provisioner.dev/v1alpha1",
                "kind": "ProvisionerJob",
                "metadata": {"name": "blk-1"},
                "spec": {"type": "OfALaterVersion", "workspaceRef": ref},
            }
            controller.client.store(paths.jobs(NAMESPACE), broken)
            before = controller.client.count("POST", "/provisionerjobs")
            controller.edit(path, spec={**workspace["spec"], "running": True})
            await asyncio.sleep(100)
            assert controller.client.count("POST", "/provisionerjobs") - before == 7
            assert paths.job(NAMESPACE, "blk-2") not in controller.client.objects
            assert controller.condition(path)["reason"] == "BuildRefused"
            assert "does not fit this version" in controller.condition(path)["message"]

    run_virtually(main())


@pytest.mark.parametrize("number", [None, 7], ids=["no number", "another number"])
def test_a_job_that_claims_to_be_a_build_of_the_workspace_and_is_none_costs_its_number(
    number: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with a_virtual_controller(monkeypatch) as controller:
            await controller.make_template_ready()
            path = controller.add_workspace("blk", running=False)
            await asyncio.sleep(5)
            workspace = controller.client.objects[path]
            ref = {"name": "other", "uid": workspace["metadata"]["uid"]} | ({"buildNumber": number} if number else {})
            controller.client.store(paths.jobs(NAMESPACE), a_job_manifest("blk-1", workspaceRef=ref), phase="Pending")
            before = controller.client.count("POST", "/provisionerjobs")
            controller.edit(path, spec={**workspace["spec"], "running": True})
            await asyncio.sleep(100)
            assert controller.client.count("POST", "/provisionerjobs") - before <= 2

    run_virtually(main())


@pytest.mark.parametrize("claim", [{}, {"version": "another"}], ids=["no version", "another version"])
def test_a_job_that_claims_to_be_an_import_of_the_template_and_is_none_is_in_its_way(
    claim: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with a_virtual_controller(monkeypatch) as controller:
            path = controller.add_template()
            await asyncio.sleep(5)
            (job,) = (each for each in controller.client.objects if "/provisionerjobs/" in each)
            body = controller.client.objects[job]
            uid = controller.client.objects[path]["metadata"]["uid"]
            body["spec"] = {**body["spec"], "templateRef": {"name": "template", "uid": uid} | claim}
            controller.observer.job_deleted(body["metadata"]["uid"])
            before = len(controller.client.requests)
            controller.edit(path, status={})
            await asyncio.sleep(100)
            asked = [each for each in controller.client.requests[before:] if "/provisionerjobs" in each.path]
            assert len(asked) <= 16
            assert "does not belong to this template" in controller.condition(path)["message"]

    run_virtually(main())


@pytest.mark.parametrize("is_known", [False, True], ids=["taken name", "version that is being imported"])
def test_an_import_whose_own_job_cannot_be_read_is_not_made_or_read_again_and_again(
    monkeypatch: pytest.MonkeyPatch, *, is_known: bool
) -> None:
    async def main() -> None:
        async with a_virtual_controller(monkeypatch) as controller:
            path = controller.add_template()
            await asyncio.sleep(5)
            (job,) = (each for each in controller.client.objects if "/provisionerjobs/" in each)
            body = controller.client.objects[job]
            body["spec"] = {**body["spec"], "type": "OfALaterVersion"}
            # The next controller knows no more than the objects say.
            controller.observer.job_deleted(body["metadata"]["uid"])
            template = controller.client.objects[path]
            status = template["status"] if is_known else {}
            before = len(controller.client.requests)
            controller.edit(path, status=status)
            await asyncio.sleep(100)
            asked = [each for each in controller.client.requests[before:] if "/provisionerjobs" in each.path]
            assert len(asked) <= 16
            assert controller.condition(path)["reason"] == "WriteRefused"
            assert "does not fit this version" in controller.condition(path)["message"]

    run_virtually(main())


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
        pod = next(each for each in controller.client.objects if "/pods/" in each)
        controller.edit(pod, status={"phase": "Failed"})

    return path, fail


@pytest.mark.parametrize(
    ("prepare", "later"),
    [(_workspace, {"updatePolicy": "Later"}), (_template, {"provisioner": "later"}), (_pool, {"capacity": "later"})],
    ids=["workspace", "template", "pool"],
)
def test_nothing_is_written_of_an_object_that_cannot_be_read_until_it_can_be(
    prepare: Callable[[VirtualController], Awaitable[tuple[str, Callable[[], object]]]],
    later: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def main() -> None:
        async with a_virtual_controller(monkeypatch) as controller:
            path, change = await prepare(controller)
            await asyncio.sleep(5)
            spec = controller.client.objects[path]["spec"]
            controller.edit(path, spec={**spec, **later})
            change()
            before = len(controller.client.requests)
            await asyncio.sleep(20)
            assert [each for each in controller.client.requests[before:] if path in each.path] == []
            controller.edit(path, spec=spec)
            await asyncio.sleep(10)
            assert [each.path for each in controller.client.requests[before:] if path in each.path] == [
                f"{path}/status"
            ]

    run_virtually(main())


def test_a_daemon_that_cannot_be_read_is_not_cordoned_until_it_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with a_virtual_controller(monkeypatch) as controller:
            pool = controller.add_pool(replicas=1)
            await asyncio.sleep(5)
            (daemon,) = (each for each in controller.client.objects if "/provisionerdaemons/" in each)
            spec = controller.client.objects[daemon]["spec"]
            controller.edit(daemon, spec={**spec, "lostAfterSeconds": "later"})
            before = len(controller.client.requests)
            controller.edit(pool, spec={**controller.client.objects[pool]["spec"], "replicas": 0})
            await asyncio.sleep(20)
            assert [each for each in controller.client.requests[before:] if daemon in each.path] == []
            controller.edit(daemon, spec=spec)
            await asyncio.sleep(5)
            assert controller.client.objects[daemon]["spec"]["cordoned"]

    run_virtually(main())


def test_a_build_that_cannot_be_read_is_not_superseded_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with a_virtual_controller(monkeypatch) as controller:
            await controller.make_template_ready()
            path = controller.add_workspace()
            await asyncio.sleep(5)
            job = paths.job(NAMESPACE, "dev-1")
            controller.edit(job, spec={**controller.client.objects[job]["spec"], "type": "OfALaterVersion"})
            before = len(controller.client.requests)
            controller.edit(path, spec={**controller.client.objects[path]["spec"], "rebuildGeneration": 1})
            await asyncio.sleep(20)
            assert len([each for each in controller.client.requests[before:] if job in each.path]) <= 10
            assert controller.condition(path)["reason"] == "WriteRefused"

    run_virtually(main())


# --- leadership and outages ---


def test_who_leads_no_more_sends_nothing_and_decides_anew_when_it_leads_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with a_virtual_controller(monkeypatch) as controller:
            controller.leads = False
            controller.add_daemon(capacity=2)
            path = controller.add_job("job")
            # Decided just before the tenure ended, as by a process that was frozen.
            for decision in controller.reconcilers.jobs.decide(clock.read()):
                controller.writer.submit(decision)
            controller.tenure = 0.0
            await asyncio.sleep(10)
            assert controller.client.requests == []
            assert _counted(controller, "Assign") == {"dropped": 1}
            controller.tenure, controller.leads = float("inf"), True
            controller.observer.wake.set()
            await asyncio.sleep(1)
            assert controller.client.objects[path]["status"]["assignment"]["daemon"] == "daemon"

    run_virtually(main())


def test_a_write_that_outlasts_the_tenure_is_abandoned_and_decided_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with a_virtual_controller(monkeypatch) as controller:
            controller.client.slow = (_of(NAMESPACE), 20.0)
            controller.tenure = 13.0
            controller.add_daemon()
            path = controller.add_job("job")
            await asyncio.sleep(12)
            controller.client.slow = None
            await asyncio.sleep(2)
            assert _counted(controller, "Assign") == {"expired": 1, "ok": 1}
            assert controller.client.objects[path]["status"]["assignment"]["daemon"] == "daemon"

    run_virtually(main())


def test_an_api_server_that_is_away_is_asked_every_few_seconds_and_nothing_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def main() -> None:
        async with a_virtual_controller(monkeypatch) as controller:
            controller.client.refusals["away"] = (_of(NAMESPACE), Answer(503, {"message": "shutting down"}))
            controller.add_daemon()
            path = controller.add_job("job")
            await asyncio.sleep(60)
            assert not _in_contact(controller)
            assert 10 < controller.client.count("PATCH", "/provisionerjobs") < 25
            assert controller.events() == []
            del controller.client.refusals["away"]
            await asyncio.sleep(10)
            assert _in_contact(controller)
            assert controller.client.objects[path]["status"]["assignment"]["daemon"] == "daemon"

    run_virtually(main())


def test_a_busy_api_server_is_given_the_time_that_it_asks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with a_virtual_controller(monkeypatch) as controller:
            controller.client.refusals["busy"] = (_of(NAMESPACE), Answer(429, {"message": "too many requests"}))
            controller.add_daemon()
            path = controller.add_job("job")
            await asyncio.sleep(30)
            assert controller.client.count("PATCH", "/provisionerjobs") <= 31
            assert _in_contact(controller)
            del controller.client.refusals["busy"]
            await asyncio.sleep(3)
            assert controller.client.objects[path]["status"]["assignment"]["daemon"] == "daemon"

    run_virtually(main())


# --- one namespace beside another ---


def _add_crowd(controller: VirtualController, count: int = 200) -> None:
    controller.add_daemon(capacity=count)
    for number in range(count):
        controller.add_job(f"job-{number:03d}")


async def _assigned_within(controller: VirtualController, path: str, seconds: float) -> bool:
    await asyncio.sleep(seconds)
    return "assignment" in controller.client.objects[path]["status"]


def test_slow_writes_of_one_namespace_do_not_hold_up_those_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with a_virtual_controller(monkeypatch) as controller:
            controller.client.slow = (_of(NAMESPACE), 10.0)
            _add_crowd(controller)
            await asyncio.sleep(1)
            controller.add_daemon(namespace=OTHER)
            assert await _assigned_within(controller, controller.add_job("job", OTHER), 0.1)

    run_virtually(main())


def test_many_writes_of_one_namespace_do_not_hold_up_those_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with a_virtual_controller(monkeypatch, writers=2) as controller:
            controller.client.delay = 1.0
            _add_crowd(controller)
            await asyncio.sleep(2)
            controller.add_daemon(namespace=OTHER)
            assert await _assigned_within(controller, controller.add_job("job", OTHER), 3)

    run_virtually(main())


def test_refused_explanations_of_one_namespace_take_no_place_from_those_of_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def main() -> None:
        async with a_virtual_controller(monkeypatch) as controller:
            controller.client.refusals["it"] = (_of(NAMESPACE), POLICY)
            for number in range(2 * EXPLAINED_AT_A_TIME):
                controller.add_job(f"job-{number:03d}")
            await asyncio.sleep(5)
            path = controller.add_job("job", OTHER)
            await asyncio.sleep(3)
            assert controller.client.objects[path]["status"]["reason"] == "NoMatchingDaemon"

    run_virtually(main())


def test_what_is_submitted_is_drained_before_the_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with a_virtual_controller(monkeypatch) as controller:
            controller.client.delay = 1.0
            _add_crowd(controller, 20)
            await asyncio.sleep(0)
            await controller.writer.drained()
            statuses = [
                body["status"] for body in controller.client.objects.values() if body["kind"] == "ProvisionerJob"
            ]
            assert all("assignment" in status for status in statuses)

    run_virtually(main())

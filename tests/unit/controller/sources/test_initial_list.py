"""Everything is listed once before the first decision, and kept current from then on."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from provisioner_operator.controller import clock
from provisioner_operator.controller.sources.initial_list import RESYNC_SECONDS, Lister
from provisioner_operator.core.jobs.decisions import Expire
from provisioner_operator.core.scheduling.supplies import SupplyContent, WriteSupply
from provisioner_operator.kube import paths
from provisioner_operator.kube.errors import ForbiddenError, UnreachableError
from provisioner_operator.kube.selectors import DAEMON_PODS, UNFINISHED_JOBS
from support.builders.controller import ControllerParts, stored
from support.builders.manifests import a_job_manifest, a_pool_manifest, a_queue_manifest
from support.scripted_client import Request, a_page
from support.virtual_time import virtual_time

pytestmark = pytest.mark.usefixtures("virtual_clock")

KINDS = ("pools", "queues", "jobs", "pods", "daemons", "templates", "workspaces")


def a_pod(name: str, namespace: str = "acme") -> Mapping[str, Any]:
    return stored({"metadata": {"name": name}}, namespace=namespace, phase="Running")


class Listing:
    """A lister and the parts that it feeds, over collections that are empty unless a test says otherwise."""

    def __init__(self, namespace: str | None = "acme", *, publish_supplies: bool = False) -> None:
        self.parts = ControllerParts(publish_supplies=publish_supplies)
        self.namespace = namespace
        parts = self.parts
        self.lister = Lister(parts.client, parts.observer, parts.reconcilers, parts.writer, namespace)

    def has(self, kind: str, *pages: Any) -> None:
        """Answer lists of a kind with these pages, one after the other."""
        self.parts.client.answers("GET", getattr(paths, kind)(self.namespace), *pages)

    def are_empty(self, *kinds: str) -> None:
        for kind in kinds:
            self.has(kind, a_page())

    def lists(self, kind: str) -> list[Request]:
        return self.parts.client.sent("GET", getattr(paths, kind)(self.namespace))

    @asynccontextmanager
    async def followed(self) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(work(), name=name) for name, work in self.lister.tasks()]
        yield
        assert [task.get_name() for task in tasks if task.done()] == []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@virtual_time
async def test_kinds_are_listed_after_those_that_they_refer_to() -> None:
    listing = Listing()
    listing.are_empty(*KINDS)
    await listing.lister.list_all()
    asked = [request.path.rpartition("/")[2] for request in listing.parts.client.requests]
    assert asked == [
        "provisionerpools",
        "provisionerqueues",
        "provisionerjobs",
        "pods",
        "provisionerdaemons",
        "workspacetemplates",
        "workspaces",
    ]
    by_kind = {kind: listing.lists(kind)[0].parameters for kind in KINDS}
    assert by_kind["jobs"]["fieldSelector"] == UNFINISHED_JOBS
    assert by_kind["pods"]["labelSelector"] == DAEMON_PODS


@virtual_time
async def test_each_kind_has_a_task_that_bears_the_namespace() -> None:
    listing = Listing("acme")
    names = [name for name, _ in listing.lister.tasks()]
    assert len(names) == 7
    assert all(name.endswith(" in acme") for name in names)
    assert not any(" in " in name for name, _ in Listing(None).lister.tasks())


@virtual_time
async def test_supplies_are_followed_only_where_they_are_kept() -> None:
    listing = Listing(publish_supplies=True)
    listing.are_empty(*KINDS)
    supply = WriteSupply("acme", None, SupplyContent()).body()
    listing.has("supplies", a_page(stored(dict(supply))))
    await listing.lister.list_all()
    assert [each.uid for each in listing.parts.reconcilers.supplies.supplies()] == ["uid-of-default"]
    async with listing.followed():
        tasks = {task.get_name() for task in asyncio.all_tasks()}
        assert "watch of supplies in acme" in tasks


@virtual_time
async def test_a_resync_finds_deletions_that_no_watch_reported_in_its_own_namespace() -> None:
    listing = Listing()
    listing.are_empty("queues", "jobs", "daemons", "templates", "workspaces")
    listing.has(
        "pools",
        a_page(stored(a_pool_manifest("here")), stored(a_pool_manifest("gone"))),
        a_page(stored(a_pool_manifest("here"))),
    )
    listing.has("pods", a_page(a_pod("here"), a_pod("gone")), a_page(a_pod("here")))
    parts = listing.parts
    parts.observer.pool(stored(a_pool_manifest("other"), namespace="globex"))
    parts.observer.pod(a_pod("other", "globex"))

    def known() -> tuple[set[str], set[str]]:
        return {pool.name for pool in parts.pools.pools()}, {
            uid.removeprefix("uid-of-") for uid in parts.jobs.pod_uids()
        }

    await listing.lister.list_all()
    async with listing.followed():
        assert known() == ({"here", "gone", "other"}, {"here", "gone", "other"})
        await asyncio.sleep(RESYNC_SECONDS - 1)
        assert len(listing.lists("pools")) == len(listing.lists("pods")) == 1
        await asyncio.sleep(2)
        assert known() == ({"here", "other"}, {"here", "other"})
        await asyncio.sleep(RESYNC_SECONDS)
        assert [request.at for request in listing.lists("pods")] == [0, RESYNC_SECONDS, 2 * RESYNC_SECONDS]


@virtual_time
async def test_a_policy_has_the_ended_jobs_listed_for_the_runs_that_it_counts() -> None:
    listing = Listing()
    listing.are_empty("pools", "pods", "daemons", "templates", "workspaces")
    listing.has("queues", a_page(stored(a_queue_manifest(fairness={"by": "Initiator"}))))
    run: dict[str, Any] = {"startedAt": "2027-01-15T08:00:00Z", "finishedAt": "2027-01-15T08:10:00Z"}
    past = stored(a_job_manifest("past", initiator="ann"), phase="Completed", observedGeneration=1, **run)
    odd = stored(a_job_manifest("odd", type="Moon"), phase="Completed", observedGeneration=1, **run)
    listing.has("jobs", a_page(), a_page(), a_page(past, odd), a_page(), a_page())
    await listing.lister.list_all()
    queue = listing.parts.jobs.policy_queues.of("acme")
    assert queue is not None
    async with listing.followed():
        await asyncio.sleep(3600)
    assert queue.share_of("ann") > queue.share_of("bob")
    assert len(listing.lists("jobs")) == 4


@virtual_time
async def test_a_history_has_the_ended_jobs_listed_and_counted() -> None:
    listing = Listing()
    listing.are_empty("pools", "pods", "daemons", "templates", "workspaces")
    listing.has("queues", a_page(stored(a_queue_manifest(history={"completed": 1}))))
    end: dict[str, Any] = {"phase": "Completed", "observedGeneration": 1}
    first, last = (
        stored(a_job_manifest(name), **end, finishedAt=f"2027-01-15T08:00:0{second}Z")
        for second, name in enumerate(["first", "last"])
    )
    listing.has("jobs", a_page(), a_page(), a_page(last, first), a_page())
    await listing.lister.list_all()
    async with listing.followed():
        await asyncio.sleep(1)
    decisions = listing.parts.jobs.decide(clock.read())
    assert [each.display_name for each in decisions if isinstance(each, Expire)] == ["acme/first"]


@virtual_time
async def test_an_ended_job_whose_deletion_was_missed_is_forgotten_with_the_next_list() -> None:
    listing = Listing()
    listing.are_empty("pools", "queues", "pods", "daemons", "templates", "workspaces")
    ended: dict[str, Any] = {"phase": "Failed", "finishedAt": "2027-01-15T08:00:00Z"}
    here, gone = (stored(a_job_manifest(name, ttlSecondsAfterFinished=60), **ended) for name in ("here", "gone"))
    listing.has("jobs", a_page(), a_page(), a_page(), a_page(here))
    listing.parts.observer.job(here)
    listing.parts.observer.job(gone)
    listing.parts.observer.job(stored(a_job_manifest("other", ttlSecondsAfterFinished=60), namespace="globex", **ended))
    await listing.lister.list_all()
    async with listing.followed():
        await asyncio.sleep(1)
    assert set(listing.parts.jobs.ended_uids()) == {"uid-of-here", "uid-of-other"}


@virtual_time
async def test_of_ended_jobs_only_those_that_may_need_a_write_are_observed() -> None:
    listing = Listing()
    listing.are_empty("pools", "queues", "pods", "daemons", "templates", "workspaces")
    ended: dict[str, Any] = {"phase": "Failed", "reason": "RunFailed", "finishedAt": "2027-01-15T08:00:00Z"}
    expiring = stored(a_job_manifest("expiring", ttlSecondsAfterFinished=60), **ended)
    kept = stored(a_job_manifest("kept"), observedGeneration=1, **ended)
    changed = stored(a_job_manifest("changed"), observedGeneration=0, **ended)
    listing.has("jobs", a_page(), a_page(), a_page(), a_page(expiring, kept, changed), a_page())
    await listing.lister.list_all()
    observed: list[str] = []
    observe = listing.parts.jobs.observe_job
    listing.parts.jobs.observe_job = lambda job, now: bool(observed.append(job.name)) or observe(job, now)  # type: ignore[method-assign,func-returns-value]
    async with listing.followed():
        await asyncio.sleep(3600)
        selectors = [request.parameters["fieldSelector"] for request in listing.lists("jobs")]
        assert selectors == [
            UNFINISHED_JOBS,
            "status.phase=Canceled",
            "status.phase=Completed",
            "status.phase=Failed",
        ], "once is enough"
        assert observed == ["expiring", "changed"]


@pytest.mark.parametrize(
    ("error", "pause", "in_contact"), [(UnreachableError("away"), 5, False), (ForbiddenError(403, "no"), 60, True)]
)
@virtual_time
async def test_a_list_that_fails_is_tried_again_after_a_pause(error: Exception, pause: float, in_contact: bool) -> None:  # noqa: FBT001 - a parameter of pytest
    listing = Listing()
    listing.are_empty("pools", "queues", "pods", "daemons", "templates", "workspaces")
    listing.has("jobs", a_page(), error, a_page())
    await listing.lister.list_all()
    async with listing.followed():
        await asyncio.sleep(1)
        assert listing.parts.observer.in_contact is in_contact
        await asyncio.sleep(100)
        assert listing.parts.observer.in_contact
        assert [request.at for request in listing.lists("jobs")] == [0, 0, pause, pause, pause]

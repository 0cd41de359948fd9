"""The feeds fill the index from lists and watches, of all namespaces or of some."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from provisioner_operator.api.v1alpha1.names import DAEMONS, JOBS
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.kube import paths
from provisioner_operator.kube.errors import UnreachableError
from provisioner_operator.web.index import feeds
from provisioner_operator.web.index.cluster_index import ClusterIndex
from provisioner_operator.web.index.feeds import Feeds
from provisioner_operator.web.index.query import JobQuery
from support.builders.core import NAMESPACE, NOON
from support.builders.manifests import a_daemon_manifest, a_job_manifest
from support.builders.stored import stored
from support.scripted_client import Answer, ScriptedClient
from support.virtual_time import now, virtual_time

NAMESPACES = "/api/v1/namespaces"
KINDS = (paths.daemons, paths.pools, paths.queues, paths.workspaces, paths.templates, paths.jobs)


def a_page(*bodies: dict[str, Any], version: int = 10) -> dict[str, Any]:
    return {"metadata": {"resourceVersion": str(version)}, "items": list(bodies)}


def a_cluster(namespace: str | None = None, **answers: Sequence[Answer]) -> ScriptedClient:
    """A cluster that answers lists of these kinds so, and has no objects of the others."""
    client = ScriptedClient()
    for collection in KINDS:
        client.answers("GET", collection(namespace), *answers.get(collection.__name__, (a_page(),)))
    client.answers("GET", NAMESPACES, a_page())
    return client


def a_job(name: str = "job", version: int = 5) -> dict[str, Any]:
    return stored(a_job_manifest(name), resourceVersion=str(version))


@asynccontextmanager
async def fed(client: ScriptedClient, *namespaces: str, seconds: float = 1) -> AsyncIterator[ClusterIndex]:
    """An index that is fed for some seconds."""
    index = ClusterIndex(lambda: Instant(NOON + now(), now()), namespaces)
    feeding = asyncio.create_task(Feeds(index, client, namespaces).run())
    await asyncio.sleep(seconds)
    assert not feeding.done()
    yield index
    feeding.cancel()
    await asyncio.gather(feeding, return_exceptions=True)


def names(index: ClusterIndex) -> list[str]:
    return sorted(row.job.name for row in index.jobs.page(JobQuery(), [NAMESPACE], None).rows)


@virtual_time
async def test_what_is_listed_and_then_changes_is_in_the_index() -> None:
    client = a_cluster(jobs=[a_page(a_job("one"), a_job("two"))])
    client.watched(paths.jobs(None), ("ADDED", a_job("three", 11)), ("DELETED", a_job("one", 12)), 100)
    async with fed(client) as index:
        assert names(index) == ["three", "two"]
        assert index.is_ready


@virtual_time
async def test_it_is_not_ready_before_each_kind_is_listed() -> None:
    async with fed(a_cluster(pools=[UnreachableError("away")])) as index:
        assert not index.is_ready


@virtual_time
async def test_only_the_given_namespaces_are_asked_for() -> None:
    client = a_cluster(NAMESPACE, jobs=[a_page(a_job())])
    async with fed(client, NAMESPACE) as index:
        assert names(index) == ["job"]
        assert index.is_ready
        assert list(index.namespaces) == [NAMESPACE]
        uid = index.namespace_uid(NAMESPACE)
        assert uid is not None
        assert index.namespace_of_uid(uid) == NAMESPACE
        assert index.namespace_uid("other") is None
    assert not client.sent("GET", NAMESPACES)


@virtual_time
async def test_a_list_of_one_namespace_removes_nothing_of_another() -> None:
    client = a_cluster(NAMESPACE, jobs=[a_page(a_job())])
    for collection in KINDS:
        client.answers("GET", collection("other"), a_page())
    async with fed(client, NAMESPACE, "other") as index:
        assert names(index) == ["job"]


@virtual_time
async def test_what_was_seen_before_etcd_was_restored_is_forgotten() -> None:
    client = a_cluster(jobs=[a_page(a_job("lost", 900), version=1000), a_page(a_job("kept"))])
    client.watched(paths.jobs(None), UnreachableError("restarts"))
    async with fed(client, seconds=30) as index:
        assert names(index) == ["kept"]
        assert index.is_ready
        # Whoever followed the changes has to read everything anew.
        assert index.changes_since(1) is None


@virtual_time
async def test_it_is_not_ready_between_a_restored_etcd_and_the_new_lists() -> None:
    away = UnreachableError("restarts")
    client = a_cluster(
        jobs=[a_page(a_job("lost", 900), version=1000), a_page(), away], daemons=[a_page(stored(a_daemon_manifest()))]
    )
    client.watched(paths.jobs(None), away)
    async with fed(client, seconds=30) as index:
        assert not index.is_ready
        assert names(index) == []
        assert index.versions(JOBS, None) == {}
        assert len(index.versions(DAEMONS, None)) == 1


@virtual_time
async def test_namespaces_are_listed_anew_where_etcd_was_restored() -> None:
    client = a_cluster(NAMESPACE, jobs=[a_page(a_job("lost", 900), version=1000), a_page(a_job("kept"))])
    for collection in KINDS:
        client.answers("GET", collection("other"), a_page())
    client.watched(paths.jobs(NAMESPACE), UnreachableError("restarts"))
    async with fed(client, NAMESPACE, "other", seconds=30) as index:
        assert names(index) == ["kept"]
        assert index.is_ready


@virtual_time
async def test_a_daemon_whose_heartbeats_stop_is_a_change() -> None:
    daemon = stored(a_daemon_manifest(), status={"state": "Idle", "lastHeartbeatTime": "2027-01-15T08:00:00Z"})
    async with fed(a_cluster(daemons=[a_page(daemon)]), seconds=39) as index:
        version = index.version
        assert await index.changed(version) == version + 1
        assert 39 <= now() < 42


@virtual_time
async def test_what_searches_have_used_is_given_back_each_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    trims: list[float] = []
    monkeypatch.setattr(feeds, "trim", lambda: trims.append(now()))
    async with fed(a_cluster(), seconds=150):
        assert [at for at in trims if at > 1] == [60, 120]

"""Followers of a log learn from the index when its job may have ended, at once or after a while."""

import asyncio
from collections.abc import Awaitable, Callable

from provisioner_operator.api.v1alpha1.names import JOBS
from provisioner_operator.core.model.instant import Instant
from provisioner_operator.web.index.cluster_index import ClusterIndex
from provisioner_operator.web.logs.job_changes import LOOK_SECONDS, job_changes
from support.builders.core import NOON
from support.builders.manifests import a_job_manifest
from support.builders.stored import stored
from support.virtual_time import now, virtual_time

UID = "6b3c1f0e-0000-4000-8000-000000000007"


def put(index: ClusterIndex, version: int, name: str = "dev-7", uid: str = UID) -> None:
    index.apply(JOBS, "MODIFIED", stored(a_job_manifest(name), uid=uid, resourceVersion=str(version)))


async def waited(index: ClusterIndex, event: Callable[[], Awaitable[object]]) -> float:
    """Seconds until the job may have another version than 5, while something happens."""
    happening = asyncio.ensure_future(event())
    began = now()
    await job_changes(index)(UID, 5)
    await happening
    return now() - began


@virtual_time
async def test_a_newer_version_is_noticed_and_changes_of_others_are_not() -> None:
    index = ClusterIndex(lambda: Instant(NOON + now(), now()))
    put(index, 5)

    async def change() -> None:
        for second in range(10):
            await asyncio.sleep(1)
            put(index, 100 + second, f"other-{second}", UID.replace("7", str(second)).replace("6b", "7b"))
        index.apply(JOBS, "MODIFIED", stored(a_job_manifest("dev-7", priority=9), uid=UID, resourceVersion="6"))

    assert 10 <= await waited(index, change) < 11
    # It is known already.
    assert await waited(index, lambda: asyncio.sleep(0)) == 0


@virtual_time
async def test_a_deletion_is_noticed() -> None:
    index = ClusterIndex(lambda: Instant(NOON + now(), now()))
    put(index, 5)

    async def delete() -> None:
        await asyncio.sleep(3)
        index.remove(JOBS, UID)

    assert 3 <= await waited(index, delete) < 4


@virtual_time
async def test_a_job_is_looked_at_after_a_while_if_the_index_does_not_know_it() -> None:
    index = ClusterIndex(lambda: Instant(NOON + now(), now()))
    assert await waited(index, lambda: asyncio.sleep(0)) == LOOK_SECONDS

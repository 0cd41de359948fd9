"""States in Secrets, in chunks."""

import asyncio
import os
from typing import Any

import pytest
from typing_extensions import override

from provisioner_operator.daemon.saving.kept_states import (
    DamagedError,
    TakenError,
    chunk_name,
    discard,
    keep,
    read_kept,
)
from provisioner_operator.kube import paths
from provisioner_operator.kube.errors import ConflictError
from unit.daemon.saving.builders import a_record, a_state
from unit.daemon.stored_objects import Body, StoredObjects

CHUNK_BYTES = 512 * 1024

LARGE = os.urandom(2 * CHUNK_BYTES)


class Secrets(StoredObjects):
    """An API server that deletes, too."""

    @override
    async def delete(
        self, path: str, *, uid: str, resource_version: int | None = None, grace_seconds: int | None = None
    ) -> Body | None:
        if self._existing(path)["metadata"]["uid"] != uid:
            raise ConflictError(409, "another")
        del self.objects[path]
        return None


def kept_and_read(store: Secrets, content: bytes, **fields: Any) -> bytes:
    async def run() -> bytes:
        await keep(store, a_record(**fields), content)
        kept = await read_kept(store, "acme", "dev")
        assert kept is not None
        assert kept.run == a_record(**fields)
        return kept.content

    return asyncio.run(run())


def names(store: Secrets) -> list[str]:
    return sorted(path.rpartition("/")[2] for path in store.objects)


@pytest.mark.parametrize(("content", "chunks"), [(b"", 1), (a_state(), 1), (LARGE, 3)])
def test_a_state_is_kept_whole_and_discarded_whole(content: bytes, chunks: int) -> None:
    store = Secrets()
    assert kept_and_read(store, content) == content
    assert names(store) == [chunk_name("dev", number) for number in range(chunks)]

    async def forget() -> None:
        kept = await read_kept(store, "acme", "dev")
        assert kept is not None
        del store.objects[paths.secret("acme", chunk_name("dev", chunks - 1))]  # somebody was faster
        await discard(store, kept)
        assert await read_kept(store, "acme", "dev") is None

    asyncio.run(forget())
    assert names(store) == []


def test_an_attempt_that_did_not_come_to_its_end_counts_for_nothing_and_is_repeated() -> None:
    store = Secrets()
    kept_and_read(store, LARGE)
    del store.objects[paths.secret("acme", chunk_name("dev", 0))]
    assert asyncio.run(read_kept(store, "acme", "dev")) is None
    assert kept_and_read(store, LARGE[::-1]) == LARGE[::-1]
    assert kept_and_read(store, LARGE) == LARGE  # also one whose answer was lost


def test_the_state_of_another_run_is_not_replaced() -> None:
    store = Secrets()
    kept_and_read(store, a_state(), job="dev-6", job_uid="other")
    with pytest.raises(TakenError, match=r"unsaved-tfstate-default-dev-ws-0 holds the state that job dev-6"):
        kept_and_read(store, a_state())


def test_a_damaged_state_is_not_used() -> None:
    store = Secrets()
    kept_and_read(store, LARGE)
    second = paths.secret("acme", chunk_name("dev", 1))
    store.objects[second]["data"]["state"] = ""
    with pytest.raises(DamagedError, match="its digest is another"):
        asyncio.run(read_kept(store, "acme", "dev"))
    del store.objects[second]
    with pytest.raises(DamagedError, match="not found"):
        asyncio.run(read_kept(store, "acme", "dev"))

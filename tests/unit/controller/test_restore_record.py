"""A restore of etcd is in the Lease before the process ends that noticed it, or that ends before it has."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from provisioner_operator.controller.restore_record import SETTLE_SECONDS, RestoreRecord
from provisioner_operator.kube.errors import RestoredError
from support.candidate import OTHER, PATH, Candidate, a_lease
from support.scripted_client import Slow
from support.virtual_time import now, virtual_time

pytestmark = pytest.mark.usefixtures("virtual_clock")


def unsure_until(end: float) -> Callable[[], bool]:
    """Watches that do not know until then whether etcd is another one."""
    return lambda: now() < end


def _restored_after(seconds: float) -> Callable[[], Awaitable[None]]:
    async def watch() -> None:
        await asyncio.sleep(seconds)
        raise RestoredError("/jobs", 1, 2)

    return watch


async def _ended(work: Awaitable[None]) -> None:
    with pytest.raises(RestoredError):
        await work


@virtual_time
async def test_each_watch_that_shows_a_restore_ends_once_it_is_recorded_which_is_done_once() -> None:
    candidate = Candidate(read=a_lease(OTHER), patched=Slow(2, a_lease(OTHER)))
    record = RestoreRecord(candidate.elector, unsure_until(0))
    await asyncio.gather(_ended(record.follow(_restored_after(0))), _ended(record.follow(_restored_after(1))))
    assert now() == 2
    assert candidate.times("PATCH") == [0]


@virtual_time
async def test_without_a_lease_a_restore_ends_the_watch_at_once() -> None:
    record = RestoreRecord(None, unsure_until(60))
    await _ended(record.follow(_restored_after(1)))
    await record.settled()
    assert now() == 1


@virtual_time
async def test_another_error_is_no_restore() -> None:
    async def fail() -> None:
        raise ValueError("of another kind")

    candidate = Candidate()
    with pytest.raises(ValueError, match="of another kind"):
        await RestoreRecord(candidate.elector, unsure_until(0)).follow(fail)
    assert candidate.client.requests == []


@virtual_time
async def test_a_process_that_ends_first_waits_until_its_watches_know_and_a_restore_is_recorded() -> None:
    candidate = Candidate(patched=Slow(2, a_lease()))
    record = RestoreRecord(candidate.elector, unsure_until(60))
    watch = asyncio.create_task(record.follow(_restored_after(3)))
    await record.settled()
    assert now() == pytest.approx(5, abs=0.2)
    assert [request.path for request in candidate.client.sent("PATCH")] == [PATH]
    await _ended(watch)


@pytest.mark.parametrize(("known", "waits"), [(0, 0), (4, 4), (60, SETTLE_SECONDS)])
@virtual_time
async def test_a_process_that_ends_waits_no_longer_than_it_takes(
    known: float, waits: float, caplog: pytest.LogCaptureFixture
) -> None:
    candidate = Candidate()
    await RestoreRecord(candidate.elector, unsure_until(known)).settled()
    assert now() == pytest.approx(waits, abs=0.2)
    assert ("without knowing whether etcd was restored" in caplog.text) is (known > SETTLE_SECONDS)
    assert candidate.client.requests == []

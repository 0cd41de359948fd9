"""A log is archived while its run goes on, and whole at the end, in the ConfigMap of its job alone."""

import asyncio
import time

import pytest

from provisioner_operator.api.v1alpha1.names import JOB_LABEL
from provisioner_operator.core.jobs.outcome import LogArchive
from provisioner_operator.daemon.logs.archive import Archive, Writer
from provisioner_operator.daemon.logs.log_buffer import JobLog
from provisioner_operator.kube import paths
from provisioner_operator.kube.errors import ForbiddenError, UnreachableError
from support.virtual_time import EPOCH, virtual_time
from unit.daemon.builders import Objects, a_task, until
from unit.daemon.stored_objects import StoredObjects

PATH = paths.config_map("acme", "dev-7-log")


def an_archive(objects: Writer, *lines: str) -> tuple[Archive, JobLog]:
    log = JobLog()
    for line in lines:
        log.append(line)
    return Archive(objects, a_task().job, log), log


def test_a_short_run_makes_exactly_one_write() -> None:
    objects = Objects()
    archive, _ = an_archive(objects, "hello")
    assert asyncio.run(archive.close()) == LogArchive("dev-7-log", 6)
    assert objects.writes == ["create"]


def test_the_archive_belongs_to_the_job_and_goes_with_it() -> None:
    objects = Objects()
    archive, _ = an_archive(objects, "hello")
    asyncio.run(archive.close())
    body = objects.objects[PATH]
    assert body["data"] == {"log": "hello\n"}
    assert body["metadata"]["labels"] == {"provisioner.dev/job": "dev-7"}
    assert body["metadata"]["ownerReferences"] == [
        {
            "apiVersion": "provisioner.dev/v1alpha1",
            "kind": "ProvisionerJob",
            "name": "dev-7",
            "uid": "uid-of-dev-7",
            "controller": True,
        }
    ]


def _an_existing_archive(job_uid: str) -> Objects:
    owners = [{"kind": "ProvisionerJob", "uid": job_uid}]
    metadata = {"labels": {JOB_LABEL: "dev-7"}, "ownerReferences": owners}
    return Objects({PATH: {"metadata": metadata, "data": {"log": "old"}}})


def test_an_archive_of_an_earlier_job_of_the_name_is_left_to_the_garbage_collector() -> None:
    objects = _an_existing_archive("uid-of-an-earlier-job")
    archive, _ = an_archive(objects, "new")

    async def run() -> None:
        async with asyncio.timeout(30):
            closing = asyncio.create_task(archive.close())
            await until(lambda: objects.writes == ["create"])
            assert objects.objects[PATH]["data"] == {"log": "old"}
            del objects.objects[PATH]
            assert await closing is not None

    asyncio.run(run())
    assert objects.objects[PATH]["data"] == {"log": "new\n"}


def test_an_archive_whose_creation_was_not_answered_is_written_on() -> None:
    objects = _an_existing_archive("uid-of-dev-7")
    archive, _ = an_archive(objects, "new")
    assert asyncio.run(archive.close()) is not None
    assert objects.objects[PATH]["data"] == {"log": "new\n"}


def test_a_config_map_of_somebody_else_is_left_alone() -> None:
    objects = Objects({PATH: {"metadata": {"name": "dev-7-log"}, "data": {"log": "mine"}}})
    archive, _ = an_archive(objects, "new")
    assert asyncio.run(archive.close()) is None
    assert objects.objects[PATH]["data"] == {"log": "mine"}


@virtual_time
async def test_a_log_that_grows_is_flushed_at_growing_intervals() -> None:
    objects = StoredObjects()
    archive, log = an_archive(objects)
    flushing = asyncio.create_task(archive.keep_flushing())
    for _ in range(999):
        log.append("line")
        await asyncio.sleep(1)
    flushing.cancel()
    written = [*objects.times("create"), *objects.times("patch")]
    assert [at - EPOCH for at in written] == [10, 30, 70, 150, 310, 610, 910]


@virtual_time
async def test_a_log_is_flushed_only_when_it_has_grown() -> None:
    objects = Objects()
    archive, log = an_archive(objects, "one")
    flushing = asyncio.create_task(archive.keep_flushing())
    await asyncio.sleep(100)
    assert objects.writes == ["create"]
    log.append("two")
    await asyncio.sleep(100)
    flushing.cancel()
    assert await archive.close() == LogArchive("dev-7-log", 8)
    assert objects.writes == ["create", "patch"]
    assert objects.objects[PATH]["data"] == {"log": "one\ntwo\n"}


@virtual_time
async def test_what_is_written_during_a_flush_is_in_the_next() -> None:
    objects = StoredObjects()
    objects.delay = 2
    archive, log = an_archive(objects, "one")
    flushing = asyncio.create_task(archive.keep_flushing())
    await asyncio.sleep(11)
    log.append("two")
    await asyncio.sleep(50)
    flushing.cancel()
    assert objects.objects[PATH]["data"] == {"log": "one\ntwo\n"}


@virtual_time
async def test_a_flush_that_fails_is_repeated_at_its_next_time() -> None:
    objects = StoredObjects()
    objects.refusals = [ForbiddenError(403, "no")]
    archive, _ = an_archive(objects, "one")
    flushing = asyncio.create_task(archive.keep_flushing())
    await asyncio.sleep(100)
    flushing.cancel()
    assert [at - EPOCH for at in objects.times("create")] == [10, 30]
    assert objects.objects[PATH]["data"] == {"log": "one\n"}


@virtual_time
async def test_an_archive_that_somebody_deleted_is_created_again() -> None:
    objects = Objects()
    archive, log = an_archive(objects, "one")
    flushing = asyncio.create_task(archive.keep_flushing())
    await asyncio.sleep(15)
    flushing.cancel()
    objects.objects.clear()
    log.append("two")
    assert await archive.close() == LogArchive("dev-7-log", 8)
    assert objects.writes == ["create", "patch", "create"]
    assert objects.objects[PATH]["data"] == {"log": "one\ntwo\n"}


def test_the_jobs_end_waits_a_minute_for_the_last_flush(monkeypatch: pytest.MonkeyPatch) -> None:
    @virtual_time
    async def close() -> None:
        # The clock of the library that repeats requests.
        monkeypatch.setattr(time, "monotonic", asyncio.get_running_loop().time)
        objects = StoredObjects()
        objects.outage = UnreachableError("away")
        archive, _ = an_archive(objects, "one")
        assert await archive.close() is None
        # A pause between tries is five seconds long, and the last try begins before a minute has passed.
        assert 54 < objects.times("create")[-1] - EPOCH < 67

    close()


def test_a_log_that_cannot_be_archived_is_no_obstacle(caplog: pytest.LogCaptureFixture) -> None:
    objects = Objects()
    objects.failure = ForbiddenError(403, "no")
    archive, _ = an_archive(objects, "hello")
    assert asyncio.run(archive.close()) is None
    assert "Cannot archive the log of job acme/dev-7: no" in caplog.text

import asyncio

import pytest

from provisioner_operator.api.v1alpha1.names import JOB_LABEL
from provisioner_operator.core.jobs.outcome import LogArchive
from provisioner_operator.daemon.logs import archive as log_archive
from provisioner_operator.daemon.logs.archive import Archive
from provisioner_operator.daemon.logs.log_buffer import JobLog
from provisioner_operator.kube import paths
from provisioner_operator.kube.errors import ForbiddenError
from unit.daemon.builders import Objects, a_task, until

PATH = paths.config_map("acme", "dev-7-log")


def an_archive(objects: Objects, *lines: str) -> tuple[Archive, JobLog]:
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
    assert [owner["uid"] for owner in body["metadata"]["ownerReferences"]] == ["uid-of-dev-7"]


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


def test_a_long_run_is_flushed_while_it_runs_and_only_when_it_wrote(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_archive, "FIRST_FLUSH_SECONDS", 0.005)
    objects = Objects()

    async def run() -> None:
        archive, log = an_archive(objects, "one")
        flushing = asyncio.create_task(archive.keep_flushing())
        async with asyncio.timeout(10):
            await until(lambda: bool(objects.writes))
            await asyncio.sleep(0.05)
            assert objects.writes == ["create"]
            log.append("two")
            await until(lambda: len(objects.writes) == 2)
        flushing.cancel()
        assert await archive.close() == LogArchive("dev-7-log", 8)

    asyncio.run(run())
    assert objects.writes == ["create", "patch"]
    assert objects.objects[PATH]["data"] == {"log": "one\ntwo\n"}


def test_a_log_that_cannot_be_archived_is_no_obstacle(caplog: pytest.LogCaptureFixture) -> None:
    objects = Objects()
    objects.failure = ForbiddenError(403, "no")
    archive, _ = an_archive(objects, "hello")
    assert asyncio.run(archive.close()) is None
    assert "Cannot archive the log of job acme/dev-7: no" in caplog.text

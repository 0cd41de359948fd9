"""The lock that keeps a restarted daemon from reporting while something of its former process lives, in virtual time."""

import asyncio
import errno
import os
from pathlib import Path

import pytest

from provisioner_operator.daemon.predecessor_lock import PredecessorLockError, acquire, site
from support.virtual_time import EPOCH, run_in_virtual_time

POLL_SECONDS = 0.2

SERVER = "https://127.0.0.1:6443"


def acquired(directory: Path, server: str = SERVER, namespace: str = "acme", name: str = "d1") -> int:
    async def within_a_minute() -> int:
        async with asyncio.timeout(60):
            return await acquire(directory, server, namespace, name)

    return run_in_virtual_time(within_a_minute())


def test_the_next_process_waits_until_nobody_holds_the_lock(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    former = acquired(tmp_path)
    inherited = os.dup(former)  # as a guard has it
    os.close(former)

    async def run() -> float:
        loop = asyncio.get_running_loop()
        loop.call_at(EPOCH + 30.1, os.close, inherited)
        os.close(await acquire(tmp_path, SERVER, "acme", "d1"))
        return loop.time() - EPOCH

    waited = run_in_virtual_time(run())
    assert 30.1 <= waited <= 30.1 + POLL_SECONDS
    assert [record.getMessage() for record in caplog.records] == [
        "Waiting until the former process of daemon acme/d1 and all its runs have ended"
    ]


@pytest.mark.parametrize("other", [{"server": "https://other"}, {"namespace": "other"}, {"name": "other"}])
def test_another_daemon_is_not_waited_for(tmp_path: Path, other: dict[str, str]) -> None:
    one = acquired(tmp_path)
    os.close(acquired(tmp_path, **other))
    with pytest.raises(TimeoutError):
        acquired(tmp_path)
    os.close(one)


def test_a_directory_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    with pytest.raises(PredecessorLockError, match=r"Cannot open .*: No such file or directory\. Set --work-dir"):
        acquired(tmp_path / "missing")


def test_a_link_that_somebody_put_in_its_place_is_not_followed(tmp_path: Path) -> None:
    os.close(acquired(tmp_path))
    [lock] = tmp_path.glob(".provisioner-daemon-*.lock")
    assert lock.stat().st_mode & 0o777 == 0o600
    lock.unlink()
    lock.symlink_to(tmp_path / "precious")
    with pytest.raises(PredecessorLockError):
        acquired(tmp_path)
    assert not (tmp_path / "precious").exists()


def test_all_processes_that_hold_a_lock_file_know_its_place(tmp_path: Path) -> None:
    former = acquired(tmp_path)
    known = site(former)
    os.close(former)
    assert site(acquired(tmp_path)) == known
    assert site(acquired(tmp_path, name="d2")) != known


def test_a_lock_file_that_cannot_be_written_is_a_place_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    lock = acquired(tmp_path)

    def fail(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", fail)
    assert site(lock) != site(lock)
    assert "a restart does not know it" in caplog.text

"""Processes are recognized by more than their pids, and none outlives its launcher."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import psutil
import pytest

from provisioner_devcluster.clusters import named_directory, sweep
from provisioner_devcluster.errors import DevClusterError
from provisioner_devcluster.process.process import ComponentProcess, Identity, still_running
from provisioner_devcluster.process.record import Record
from provisioner_devcluster.supervisor import find, stop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

T = TypeVar("T")


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    """Return a process that is not a component."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def a_cluster(owner: Identity) -> Path:
    directory = named_directory("mine")
    directory.mkdir()
    Record(owner=owner, ready=True, components={"etcd": owner}).write(directory)
    return directory


def test_a_running_process_is_found_again() -> None:
    found = Identity.of(os.getpid()).find()
    assert found is not None
    assert found.pid == os.getpid()


def test_a_reused_pid_is_not_the_recorded_process() -> None:
    mine = Identity.of(os.getpid())
    assert replace(mine, created=mine.created - 60).find() is None


def test_another_process_with_the_recorded_pid_is_not_killed(bystander: subprocess.Popen[bytes]) -> None:
    stranger = Identity.of(bystander.pid)
    directory = a_cluster(replace(stranger, created=stranger.created - 60))
    assert find("mine") is None
    assert stop("mine") is False
    assert bystander.poll() is None
    assert not directory.exists()


def test_directories_of_dead_launchers_are_swept_and_others_kept(bystander: subprocess.Popen[bytes]) -> None:
    directory = a_cluster(Identity.of(bystander.pid))
    sweep()
    assert directory.exists()
    bystander.kill()
    bystander.wait()
    sweep()
    assert not directory.exists()


@pytest.mark.parametrize("name", ["", "../etc", "A", "-x", "a" * 64])
def test_a_name_cannot_leave_its_directory(name: str) -> None:
    with pytest.raises(DevClusterError, match="is not a valid cluster name"):
        named_directory(name)


def test_a_guarded_program_ends_with_its_launcher_and_its_guard_with_it(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    process = a_component(tmp_path, ["/bin/sleep", "600"], reading, knows_lifeline=False)
    guards = wait_for(lambda: children(process))
    os.close(writing)
    left = still_running([process.identity, *guards], timeout=60)
    os.close(reading)
    assert process.exit_code == -9
    assert not left


def test_a_guard_ends_with_its_program(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    process = a_component(tmp_path, ["/bin/sleep", "600"], reading, knows_lifeline=False)
    guards = wait_for(lambda: children(process))
    process.kill()
    left = still_running(guards, timeout=60)
    os.close(reading)
    os.close(writing)
    assert not left


def test_a_component_that_ends_by_itself_is_reported_with_its_log(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    process = a_component(tmp_path, ["/bin/sh", "-c", "echo out of luck; exit 7"], reading, knows_lifeline=True)
    wait_for(lambda: process.exit_code is not None)
    os.close(reading)
    os.close(writing)
    with pytest.raises(DevClusterError, match=r"thing ended with exit code 7(.|\n)*out of luck"):
        process.check()


def a_component(directory: Path, command: list[str], lifeline: int, *, knows_lifeline: bool) -> ComponentProcess:
    return ComponentProcess(
        "thing", command, log=directory / "thing.log", lifeline_end=lifeline, knows_lifeline=knows_lifeline
    )


def children(process: ComponentProcess) -> list[Identity]:
    return [Identity.of(child.pid) for child in psutil.Process(process.identity.pid).children()]


def wait_for(condition: Callable[[], T]) -> T:
    for _ in range(1000):
        if result := condition():
            return result
        time.sleep(0.01)
    raise AssertionError("the condition never came true")

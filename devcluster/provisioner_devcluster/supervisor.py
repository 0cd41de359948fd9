"""Detached process behind `provisioner-devcluster up`: the launcher of one named cluster, until a signal ends it.

The command line calls `start` and `stop`; `supervise` runs in the detached process.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, NoReturn

from filelock import FileLock

from provisioner_devcluster.clusters import named_directory, remove, sweep
from provisioner_devcluster.control_plane.cluster import POLL, START_TIMEOUT, ControlPlane
from provisioner_devcluster.errors import DevClusterError
from provisioner_devcluster.locations import cache_directory
from provisioner_devcluster.process.process import still_running
from provisioner_devcluster.process.record import Record

if TYPE_CHECKING:
    from pathlib import Path

# Stopping takes a fraction of a second; a supervisor that needs longer is killed, and its components with it.
STOP_TIMEOUT = 20.0

# The control plane's timeout, and some time for the supervisor itself.
PATIENCE = START_TIMEOUT + 30


def start(name: str) -> Record:
    """Start the cluster of this name, unless it runs already, and return its record when it is ready."""
    directory = named_directory(name)
    with _lock():
        sweep()
        record = find(name)
        if record is None:
            remove(directory)
            report = _report(directory)
            with report.open("wb") as output:
                process = subprocess.Popen(
                    [sys.executable, "-m", "provisioner_devcluster", "supervise", name],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    cwd=directory.parent,
                    start_new_session=True,
                )
            try:
                return _await_ready(name, process, report)
            except BaseException:
                process.terminate()
                raise
            finally:
                report.unlink()
    return record if record.ready else _await_ready(name, None, None)


def find(name: str) -> Record | None:
    """Return the record of the cluster of this name, or None if its launcher is not running."""
    record = Record.read(named_directory(name))
    return record if record and record.owner.find() else None


def stop(name: str) -> bool:
    """Stop the cluster of this name and remove its files; return whether it was running."""
    directory = named_directory(name)
    with _lock():
        record = Record.read(directory)
        if record is None:
            return False
        owner = record.owner.find()
        if owner:
            owner.terminate()
            for hanging in still_running([record.owner], STOP_TIMEOUT):
                hanging.kill()
        # The lifelines end the components after the launcher; wait for that, so that none writes into a removed directory.
        alive = still_running(record.components.values(), STOP_TIMEOUT)
        remove(directory)
        if alive:
            pids = ", ".join(str(process.pid) for process in alive)
            raise DevClusterError(f"These processes of cluster {name} did not exit: {pids}. Kill them with kill -9.")
    return owner is not None


def supervise(name: str) -> None:
    """Run the cluster of this name in this process until SIGTERM or SIGINT."""
    # An exception also ends an unfinished start, and the context managers stop what was started.
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    with ControlPlane.start(named_directory(name)):
        while True:
            signal.pause()


def _leave(*_: object) -> NoReturn:
    # A second signal must not interrupt the cleanup.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(0)


def _await_ready(name: str, process: subprocess.Popen[bytes] | None, report: Path | None) -> Record:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        record = find(name)
        if record and record.ready:
            return record
        if process and report and process.poll() is not None:
            said = report.read_text(encoding="utf-8", errors="replace").strip()
            raise DevClusterError(said.removeprefix("Error: "))
        time.sleep(POLL)
    raise DevClusterError(
        f"Cluster {name} is not ready after {PATIENCE:.0f} s. See its logs in {named_directory(name)}, "
        f"then run `provisioner-devcluster down --name {name}`.",
    )


def _report(directory: Path) -> Path:
    # Beside the cluster's directory, which must be empty at the start and is removed after a failure.
    return directory.with_name(f"{directory.name}.log")


def _lock() -> FileLock:
    # One lock for all names: a start takes seconds, and a second caller must find a complete record.
    return FileLock(cache_directory() / "clusters.lock")

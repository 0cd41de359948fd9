"""Ledger of runs, written by the echo program itself: evidence of actual runs, independent of the API server.

Each run appends a line when it starts and one when it ends normally; a killed run leaves only the first.
`Ledger.witnessed` watches the processes, so that the end of killed runs is known too.
"""

import json
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import psutil

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
_POLL = 0.02


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the echo program; times are from the machine's monotonic clock, which all processes share."""

    job: str
    job_uid: str
    workspace: str
    daemon: str
    instance: str
    pid: int
    started: float
    ended: float | None = None
    """Time at which it ended normally or was seen dead; None before that."""
    code: int | None = None
    """Exit code; None if the run was killed or has not ended."""


class Ledger:
    """The file to which runs write."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._deaths: dict[tuple[int, float], float] = {}
        self._read: tuple[int, Sequence[dict[str, Any]]] = (0, ())
        """Size of the file when it was read, and its entries then: it only grows, and is asked for fifty times a second."""

    def runs(self) -> list[Run]:
        """Return all runs in the order of their starts."""
        starts: dict[tuple[str, int], Run] = {}
        found: list[Run] = []
        for entry in self._entries():
            key = (entry["job_uid"], entry["pid"])
            if entry["event"] == "start":
                starts[key] = _run(entry, entry["time"])
                continue
            started = starts.pop(key)
            found.append(_run(entry, started.started, ended=entry["time"], code=entry["code"]))
        for run in starts.values():
            died = self._deaths.get((run.pid, run.started))
            found.append(run if died is None else replace(run, ended=died))
        return sorted(found, key=lambda run: run.started)

    def runs_of(self, job: str) -> list[Run]:
        """Return the runs of the job of this name."""
        return [run for run in self.runs() if run.job == job]

    def the_run_of(self, job: str) -> Run:
        """Return the only run of a job."""
        (run,) = self.runs_of(job)
        return run

    def release(self, job: str) -> None:
        """Let the run of a job submitted with `hold` continue to its end."""
        self.path.with_name(f"{self.path.name}.released-{job}").touch()

    def await_run(self, job: str, *, seconds: float = 60.0) -> Run:
        """Wait until a run of the job has started, and return it."""
        deadline = time.monotonic() + seconds
        while not (runs := self.runs_of(job)):
            assert time.monotonic() < deadline, f"{job} never started"
            time.sleep(_POLL)
        return runs[0]

    def assert_nothing_twice(self) -> None:
        """Assert that no job was started more than once."""
        starts: defaultdict[str, list[Run]] = defaultdict(list)
        for run in self.runs():
            starts[run.job_uid].append(run)
        twice = {runs[0].job: runs for runs in starts.values() if len(runs) > 1}
        assert not twice, f"started more than once: {twice}"

    def assert_no_overlap(self) -> None:
        """Assert that no two runs of a workspace overlapped; the end of each earlier run must be known."""
        lines: defaultdict[str, list[Run]] = defaultdict(list)
        for run in self.runs():
            lines[run.workspace].append(run)
        for workspace, runs in lines.items():
            if not workspace:
                continue
            for earlier, later in pairwise(runs):
                assert earlier.ended is not None, f"{earlier} was not over when {later} began"
                assert earlier.ended <= later.started, f"overlap in {workspace}: {earlier} and {later}"

    @contextmanager
    def witnessed(self) -> Iterator[Self]:
        """Record the deaths of killed runs until the block ends."""
        over = threading.Event()
        thread = threading.Thread(target=self._witness, args=(over,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            over.set()
            thread.join()

    def _witness(self, over: threading.Event) -> None:
        # Times at which processes were last seen alive. Each precedes the real end by at most one poll, so that a slow
        # poll never looks like an overlap.
        seen: dict[tuple[int, float], float] = {}
        known: Sequence[dict[str, Any]] = ()
        unended: list[Run] = []
        while not over.wait(_POLL):
            if (entries := self._entries()) is not known:
                known, unended = entries, [run for run in self.runs() if run.ended is None]
            for run in unended:
                if (run.pid, run.started) in self._deaths:
                    continue
                at = now()
                if is_alive(run.pid):
                    seen[run.pid, run.started] = at
                else:
                    self._deaths[run.pid, run.started] = seen.get((run.pid, run.started), run.started)

    def _entries(self) -> Sequence[dict[str, Any]]:
        if not self.path.exists():
            return ()
        size, entries = self._read
        if self.path.stat().st_size != size:
            content = self.path.read_bytes()
            entries = [json.loads(line) for line in content.splitlines(keepends=True) if line.endswith(b"\n")]
            self._read = (len(content), entries)
        return entries


def now() -> float:
    """Return the time of the ledger's clock."""
    return time.clock_gettime(_CLOCK)


def is_alive(pid: int) -> bool:
    """Return whether the process exists and is not a zombie."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def await_death(pid: int, *, seconds: float = 60.0) -> None:
    """Wait until the process has died."""
    deadline = time.monotonic() + seconds
    while is_alive(pid):
        assert time.monotonic() < deadline, f"process {pid} still lives"
        time.sleep(_POLL)


def _run(entry: dict[str, Any], started: float, *, ended: float | None = None, code: int | None = None) -> Run:
    return Run(
        job=entry["job_name"],
        job_uid=entry["job_uid"],
        workspace=entry["workspace"],
        daemon=entry["daemon"],
        instance=entry["instance"],
        pid=entry["pid"],
        started=started,
        ended=ended,
        code=code,
    )

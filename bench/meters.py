"""CPU and memory of processes, and requests to the API server, as differences of two readings."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Mapping

_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


def cpu_seconds(pids: Mapping[str, int]) -> dict[str, float]:
    """Return the user and system CPU time of each process with its children."""
    return {name: sum(_cpu(process) for process in _family(pid)) for name, pid in pids.items()}


def used(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """Return the difference of two readings."""
    return {name: after[name] - before[name] for name in before}


def peak_memory(pid: int) -> int:
    """Return the process's peak memory in bytes, or its present memory where the system does not record the peak."""
    status = Path(f"/proc/{pid}/status")
    if status.exists() and (found := _PEAK.search(status.read_text())):
        return int(found[1]) * 1024
    resident: int = psutil.Process(pid).memory_info().rss
    return resident


def _family(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    used_seconds: float = times.user + times.system
    return used_seconds

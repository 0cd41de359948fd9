"""Build of a Go program, once per cache.

Called for the control plane and the tools when no earlier build is current. A build takes minutes: it reports its
progress, a lock makes other processes wait for it, and a program gets its final name only when it is complete.
"""

from __future__ import annotations

import os
import queue
import shutil
import subprocess
import tempfile
import threading
from collections import deque
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from provisioner_devcluster.build.go_toolchain import LOCAL_TOOLCHAIN, find_go, go_version
from provisioner_devcluster.errors import TAIL_LINES, DevClusterError
from provisioner_devcluster.locations import cache_directory
from provisioner_devcluster.progress import INTERVAL, Progress, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from provisioner_devcluster.build.go_modules import GoModule

# Disk usage of a first build in Go's module and build caches and in ours, rounded up.
NEEDED_BYTES = 6 * 1024**3

# Interval at which progress is reported while go prints nothing.
OUTPUT_TIMEOUT = 1.0

# No cgo: a static file that runs on any machine of this platform and needs no C compiler.
# GOFLAGS and GOWORK: the user's own settings must not affect the build.
BUILD_ENVIRONMENT = {**LOCAL_TOOLCHAIN, "CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false", "GOWORK": "off"}


def built(module: GoModule) -> Path | None:
    """Return the program of an earlier build of the same module files, if there is one."""
    program = _place(module)
    return program if program.exists() else None


def build(module: GoModule) -> Path:
    """Return the program of a module, and build it if there is no current build."""
    if program := built(module):
        return program
    place = _place(module)
    place.parent.mkdir(parents=True, exist_ok=True)
    with _lock(place.parent.with_suffix(".lock"), module.name):
        # Another process may have built it while this one waited for the lock.
        if not place.exists():
            _build(module, place)
    return place


def _place(module: GoModule) -> Path:
    return cache_directory() / "bin" / f"{module.name}-{module.key}" / module.program


@contextmanager
def _lock(path: Path, name: str) -> Iterator[None]:
    lock = FileLock(path)
    waiting = Progress(f"waiting for another process to build {name}")
    while True:
        try:
            lock.acquire(timeout=INTERVAL)
            break
        except Timeout:
            waiting.tick(f"lock {path}")
    try:
        yield
    finally:
        lock.release()


def _build(module: GoModule, place: Path) -> None:
    go = find_go(module.go_version)
    version = ".".join(str(part) for part in go_version(go) or ("of unknown version",))
    title = f"building {module.name} with go {version}"
    free = shutil.disk_usage(place.parent).free
    warning = "" if free >= NEEDED_BYTES else f" - only {free / 1024**3:.1f} GB are free, a cold build takes about 6"
    say(f"{title} from {module.directory}: {module.duration}, once; kept in {place.parent}{warning}")
    total = _download(go, module)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=".building-") as scratch:
        fresh = Path(scratch) / module.program
        flags = ["-mod=readonly", "-trimpath", "-v", "-ldflags", f"-s -w {module.linker_flags}"]
        progress = Progress(title)
        command = [str(go), "build", *flags, "-o", str(fresh), module.package]
        count = _follow(command, module, lambda packages: progress.tick(f"{packages} of at most {total:,} packages"))
        progress.done(f"{count} packages compiled")
        fresh.rename(place)


def _download(go: Path, module: GoModule) -> int:
    """Fetch the modules and return the number of packages to compile."""
    progress = Progress(f"fetching the Go modules of {module.name}")
    command = [str(go), "list", "-mod=readonly", "-deps", module.package]
    # go prints packages to standard output and a line per downloaded module to standard error; both are progress.
    return _follow(
        command, module, lambda lines: progress.tick(f"{lines} fetched"), counted=lambda line: ":" not in line
    )


def _follow(
    command: list[str],
    module: GoModule,
    report: Callable[[int], None],
    counted: Callable[[str], bool] = lambda _: True,
) -> int:
    """Run go, report the number of lines it has printed, and return the number of packages among them."""
    last: deque[str] = deque(maxlen=TAIL_LINES)
    lines = count = 0
    with subprocess.Popen(
        command,
        cwd=module.directory,
        env={**os.environ, **BUILD_ENVIRONMENT},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        for line in _lines(process):
            if line is not None:
                last.append(f"    {line.rstrip()}")
                lines += 1
                count += counted(line)
            report(lines)
    if process.returncode != 0:
        raise DevClusterError(
            f"Building {module.name} in {module.directory} failed (exit code {process.returncode}); the last lines of its output:\n"
            + "\n".join(last)
            + "\nGo needs its module proxy (see `go env GOPROXY`), about 6 GB of disk for its caches "
            "(`go env GOMODCACHE GOCACHE`) and some 4 GB of memory. Then run the same command again: "
            "it continues with the packages compiled so far.",
        )
    return count


def _lines(process: subprocess.Popen[str]) -> Iterator[str | None]:
    """Yield each line of a process's output, and None once a second while there is none, as during linking."""
    stream = process.stdout
    if stream is None:
        raise AssertionError("the process was started without a pipe")
    arrived: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def read() -> None:
        for line in stream:
            arrived.put(line)
        arrived.put(None)

    reader = threading.Thread(target=read, name="go-output", daemon=True)
    reader.start()
    while True:
        try:
            line = arrived.get(timeout=OUTPUT_TIMEOUT)
        except queue.Empty:
            yield None
            continue
        if line is None:
            return
        yield line

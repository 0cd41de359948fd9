"""A place where mutated code can do no harm: PIDs of its own, a file system that it can only read, limited memory.

A mutated guard may kill every process that it sees, a mutated cleanup may remove any folder. On Linux, for root, each run
has a PID and a mount namespace, which end with it. Elsewhere only packages that start and kill nothing can be mutated.
"""

import math
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mutation.work import Work
from mutation.worktree import REPOSITORY, Copy

DANGEROUS = frozenset({"daemon"})
"""Packages that start, stop and kill processes."""
HUNG = 124
"""Exit code of a command that was stopped at a limit, as of timeout(1)."""

_OUT_OF_CPU = frozenset({signal.SIGXCPU, signal.SIGPROF})
"""Signals that end a process, or one of its tests, that took too much CPU time."""
_NOT_ENTERED = 120
"""Exit code if the namespaces could not be set up; pytest has none of that number."""
_LOOK_SECONDS = 1.0
"""Time between two looks at whether a command is idle."""
_MEMORY_KILOBYTES = 6_000_000
"""Address space of one process: enough for any test, and an endless list ends before the machine's memory does."""
_FILE_BLOCKS = 2_000_000
"""Size of one file, in blocks of 512 bytes."""

# The product's programs start isolated (`python -I`) and would import the work tree, so the copy is mounted there, too.
# The shell stays as PID 1, because it reaps orphans, and signals from within the namespace do not end it.
_ENTER = f"""
mount --bind "$SCRATCH" "$SCRATCH" &&
mount --bind "$COPY/operator" "$REPOSITORY/operator" &&
mount -o remount,bind,ro / &&
ulimit -v {_MEMORY_KILOBYTES} && ulimit -f {_FILE_BLOCKS} && ulimit -S -t "$CPU" &&
cd "$COPY" || exit {_NOT_ENTERED}
"$@"
exit $?
"""


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds that a command may take."""

    idle: float
    """In which none of its processes runs or waits for a CPU: finds a wait without end, however busy the machine is."""
    cpu: float
    """Of CPU, for each of its processes: finds a loop without end."""


class SandboxError(Exception):
    """The sandbox could not be set up."""


def has_namespaces() -> bool:
    """Whether this process may make namespaces."""
    return sys.platform == "linux" and os.geteuid() == 0 and shutil.which("unshare") is not None


@dataclass(frozen=True, slots=True)
class Sandbox:
    """Runs commands on a copy of the tree."""

    copy: Copy

    def run(self, command: Sequence[str], environment: dict[str, str], limits: Limits, output: Path) -> int:
        """Run the command and return its exit code, `HUNG` if it reached a limit; its output goes into the file."""
        with output.open("wb") as file:
            process = subprocess.Popen(
                self._wrapped(command),
                env=os.environ | self._environment() | environment | {"CPU": str(math.ceil(limits.cpu))},
                cwd=self.copy.root,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
            )
            try:
                code = self._wait(process, limits.idle)
            finally:
                if process.poll() is None:
                    process.kill()  # all that is in its namespaces ends with it
                    process.wait()
        if code == _NOT_ENTERED:
            raise SandboxError(output.read_text(encoding="utf-8", errors="replace"))
        return HUNG if {-code, code - 128} & _OUT_OF_CPU else code

    def _wait(self, process: subprocess.Popen[bytes], limit: float) -> int:
        work = Work(process.pid)
        while work.idle < limit:
            try:
                return process.wait(_LOOK_SECONDS)
            except subprocess.TimeoutExpired:
                work.look()
        return HUNG

    def _wrapped(self, command: Sequence[str]) -> list[str]:
        if not has_namespaces():
            return list(command)
        ends_with_us = ["setpriv", "--pdeathsig", "KILL"]
        namespaces = ["unshare", "--pid", "--fork", "--mount", "--mount-proc", "--kill-child"]
        return [*ends_with_us, *namespaces, "sh", "-c", _ENTER, "sh", *command]

    def _environment(self) -> dict[str, str]:
        sources = [str(self.copy.root / each) for each in ("tests", "operator", "devcluster")]
        return {
            "SCRATCH": str(self.copy.scratch),
            "COPY": str(self.copy.root),
            "REPOSITORY": str(REPOSITORY),
            "TMPDIR": str(self.copy.scratch / "tmp"),
            "PYTHONPATH": os.pathsep.join(sources),
        }

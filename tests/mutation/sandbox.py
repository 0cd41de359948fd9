"""A place where mutated code can do no harm: PIDs of its own, a file system that it can only read, limited memory.

A mutated guard may kill every process that it sees, a mutated cleanup may remove any folder. On Linux, for root, each run
has a PID and a mount namespace, which end with it. Elsewhere only packages that start and kill nothing can be mutated.
"""

import json
import math
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from mutation.template import NOT_ENTERED
from mutation.work import Work
from mutation.worktree import REPOSITORY, Copy

DANGEROUS = frozenset({"daemon"})
"""Packages that start, stop and kill processes."""
HUNG = 124
"""Exit code of a command that was stopped at a limit, as of timeout(1)."""

_OUT_OF_CPU = frozenset({signal.SIGXCPU, signal.SIGPROF})
"""Signals that end a process, or one of its tests, that took too much CPU time."""
_LOOK_SECONDS = 1.0
"""Time between two looks at whether a command is idle."""
_MEMORY_KILOBYTES = 6_000_000
"""Address space of one process: enough for any test, and an endless list ends before the machine's memory does."""
_FILE_BLOCKS = 2_000_000
"""Size of one file, in blocks of 512 bytes."""

# The product's programs start isolated (`python -I`) and would import the work tree, so the copy is mounted there, too.
_ENTER = f"""
mount --bind "$SCRATCH" "$SCRATCH" &&
mount --bind "$COPY/operator" "$REPOSITORY/operator" &&
mount -o remount,bind,ro / &&
ulimit -v {_MEMORY_KILOBYTES} && ulimit -f {_FILE_BLOCKS} &&
cd "$COPY" || exit {NOT_ENTERED}
exec "$@"
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


class Sandbox:
    """Runs programs on a copy of the tree until it is closed, each forked from a process that has imported the libraries."""

    def __init__(self, copy: Copy, environment: Mapping[str, str] | None = None) -> None:
        """Use the copy; the environment is that of all runs."""
        self.copy = copy
        self._log = copy.scratch / "template.log"
        self._template = self._start(environment or {})

    def stop(self) -> None:
        """End all processes in the sandbox; a run that another thread waits for raises an error."""
        self._template.kill()

    def close(self) -> None:
        """End all processes in the sandbox. No run may be waited for."""
        self.stop()
        self._template.communicate()

    def run(self, command: Sequence[str], environment: Mapping[str, str], limits: Limits, output: Path) -> int:
        """Run a Python module with arguments, and return its exit code, `HUNG` if it reached a limit.

        Args:
            output: File that receives its output.
        """
        request = {
            "command": list(command),
            "environment": dict(environment),
            "cpu": math.ceil(limits.cpu),
            "output": str(output),
        }
        assert self._template.stdin is not None
        self._template.stdin.write(json.dumps(request) + "\n")
        self._template.stdin.flush()
        code = self._wait(limits.idle)
        if code == NOT_ENTERED:
            raise SandboxError(output.read_text(encoding="utf-8", errors="replace"))
        return HUNG if code - 128 in _OUT_OF_CPU else code

    def _wait(self, limit: float) -> int:
        """Return what the template answers; kill what it runs if that is idle for so long."""
        answers = self._template.stdout
        assert answers is not None
        work = Work(self._template.pid)
        while work.idle < limit:
            if select.select([answers], [], [], _LOOK_SECONDS)[0]:
                return self._answer()
            work.look()
        self._end_run()
        self._answer()
        return HUNG

    def _answer(self) -> int:
        assert self._template.stdout is not None
        answer = self._template.stdout.readline()
        if not answer:
            raise SandboxError(self._log.read_text(encoding="utf-8", errors="replace"))
        return int(answer)

    def _end_run(self) -> None:
        """Kill all that the template has forked."""
        above = 1 if has_namespaces() else 0  # unshare(1), whose only child is the template
        for process in psutil.Process(self._template.pid).children(recursive=True)[above:]:
            with suppress(psutil.NoSuchProcess):
                process.kill()

    def _start(self, environment: Mapping[str, str]) -> "subprocess.Popen[str]":
        program = [sys.executable, "-m", "mutation.template", str(self.copy.root), str(self.copy.scratch)]
        with self._log.open("wb") as log:
            return subprocess.Popen(
                _isolated([*program, "isolated"]) if has_namespaces() else [*program, "shared"],
                env=os.environ | self._variables() | dict(environment),
                cwd=self.copy.root,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def _variables(self) -> dict[str, str]:
        sources = [str(self.copy.root / each) for each in ("tests", "operator", "devcluster")]
        return {
            "SCRATCH": str(self.copy.scratch),
            "COPY": str(self.copy.root),
            "REPOSITORY": str(REPOSITORY),
            "TMPDIR": str(self.copy.scratch / "tmp"),
            "PYTHONPATH": os.pathsep.join(sources),
        }


def _isolated(command: Sequence[str]) -> list[str]:
    ends_with_us = ["setpriv", "--pdeathsig", "KILL"]
    namespaces = ["unshare", "--pid", "--fork", "--mount", "--mount-proc", "--kill-child"]
    return [*ends_with_us, *namespaces, "sh", "-c", _ENTER, "sh", *command]

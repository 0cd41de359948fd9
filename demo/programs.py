"""The product's programs as processes, each with a log and a lifeline.

Used by the environment. However the demo ends, even by SIGKILL, its programs end too: each watches a pipe that only the
demo holds open.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil

from demo.people import UnexpectedResultError
from provisioner_devcluster.errors import tail
from provisioner_devcluster.process import lifeline
from provisioner_devcluster.process.process import KILL_TIMEOUT, Identity, still_running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Settings of the product and of kubectl that the user made for other clusters.
FOREIGN_SETTINGS = ("PROVISIONER_", "KUBE", "POD_")


class Programs:
    """The running programs, by name."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lifeline, self._held_end = os.pipe()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._left_behind: list[Identity] = []

    def start(self, name: str, module: str, *arguments: str) -> None:
        """Start a Python module as a program."""
        self.run(name, sys.executable, "-m", module, *arguments)

    def run(self, name: str, *command: str) -> None:
        """Start a program; its output goes to NAME.log, its pid to NAME.pid."""
        guard = (sys.executable, "-S", "-E", lifeline.__file__, str(self._lifeline))
        with self.log(name).open("ab") as output:
            process = subprocess.Popen(
                [*guard, *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=[self._lifeline],
                cwd=self._directory,
                env={key: value for key, value in os.environ.items() if not key.startswith(FOREIGN_SETTINGS)},
                # Ctrl-C must reach the demo only, which then stops its programs in order.
                start_new_session=True,
            )
        self._processes[name] = process
        (self._directory / f"{name}.pid").write_text(f"{process.pid}\n")

    def log(self, name: str) -> Path:
        """Return the file that a program's output goes to."""
        return self._directory / f"{name}.log"

    def pid(self, name: str) -> int:
        """Return a program's pid."""
        return self._processes[name].pid

    def logs(self) -> Iterator[tuple[Path, str]]:
        """Return each program's log with its last lines."""
        for name in self._processes:
            yield self.log(name), tail(self.log(name))

    def check(self) -> None:
        """Raise UnexpectedResultError if a program has exited."""
        for name, process in self._processes.items():
            if process.poll() is not None:
                raise UnexpectedResultError(
                    f"The program {name} exited unexpectedly, with exit code {process.returncode}."
                )

    def expect_kill(self, name: str) -> None:
        """Remember the child processes of a program that is about to be killed, so that `stop` ends those too."""
        self._left_behind += _family(self.pid(name))

    def reap(self) -> None:
        """Collect the exit codes of killed programs, so that none remains as a zombie."""
        for process in self._processes.values():
            process.poll()

    def stop(self) -> None:
        """Kill all programs and their children; a second call does nothing."""
        running = [process for process in self._processes.values() if process.poll() is None]
        family = [member for process in running for member in _family(process.pid)] + self._left_behind
        for member in family:
            _kill(member)
        for process in running:
            process.wait(KILL_TIMEOUT)
        for descriptor in (self._lifeline, self._held_end):
            if descriptor >= 0:
                os.close(descriptor)
        self._lifeline = self._held_end = -1
        if alive := still_running(family, KILL_TIMEOUT):
            raise UnexpectedResultError(f"These processes did not exit: {', '.join(str(each.pid) for each in alive)}.")


def _family(pid: int) -> list[Identity]:
    """Return a process and its descendants, oldest first, so that a killed parent cannot start another child."""
    try:
        parent = psutil.Process(pid)
        members = [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
    found = []
    for member in members:
        try:
            found.append(Identity.of(member.pid))
        except psutil.NoSuchProcess:
            continue
    return found


def _kill(member: Identity) -> None:
    if process := member.find():
        try:
            process.kill()
        except psutil.NoSuchProcess:
            return

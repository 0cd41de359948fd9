"""One component as a process: started with its lifeline, its output in a log, stopped for certain.

Called by the control plane; `Identity` also by everybody who must recognize a process later. Knows no Kubernetes.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

from provisioner_devcluster.errors import DevClusterError, tail
from provisioner_devcluster.process import lifeline

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

LIFELINE_VARIABLE = "DEVCLUSTER_LIFELINE_FD"

# A start time is told by a clock that may be corrected meanwhile; no system hands out all its pids in as few seconds.
CLOCK_GRAIN = 5.0

# The end of a process that is no child cannot be waited for, only looked for.
POLL = 0.02

# A killed process is gone as soon as the kernel has closed its files.
KILL_TIMEOUT = 15


@dataclass(frozen=True, slots=True)
class Identity:
    """Which process was meant: a pid alone may have been given to another one since."""

    pid: int
    created: float

    @classmethod
    def of(cls, pid: int) -> Identity:
        """Return the identity of a process that runs now."""
        return cls(pid, psutil.Process(pid).create_time())

    def find(self) -> psutil.Process | None:
        """Return the process, or nothing if it ended, even when its pid lives on as a stranger."""
        try:
            process = psutil.Process(self.pid)
            if abs(process.create_time() - self.created) > CLOCK_GRAIN or process.status() == psutil.STATUS_ZOMBIE:
                return None
        except psutil.NoSuchProcess:
            return None
        return process


def still_running(identities: Iterable[Identity], timeout: float) -> list[psutil.Process]:
    """Wait until processes have ended, and return those that have not.

    They need not be children of this one. One that nobody reaped, as in a container without an init, has ended.
    """
    deadline = time.monotonic() + timeout
    waiting = list(identities)
    while alive := [process for identity in waiting if (process := identity.find())]:
        if time.monotonic() > deadline:
            break
        time.sleep(POLL)
    return alive


class ComponentProcess:
    """A running component."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        lifeline_end: int,
        knows_lifeline: bool,
    ) -> None:
        """Start the component.

        Args:
            name: What the component is called in messages.
            command: The program and its arguments.
            log: Where its output goes; appended to, as a component may be started again.
            lifeline_end: The reading end of the launcher's pipe.
            knows_lifeline: Whether the program watches the lifeline itself; if not, a guard does.
        """
        self.name = name
        self.log = log
        guard = [] if knows_lifeline else [sys.executable, "-S", "-E", lifeline.__file__, str(lifeline_end)]
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [*guard, *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=[lifeline_end],
                # Nothing of the caller's: proxies, a kubeconfig or a Go setting must not change a component.
                env={LIFELINE_VARIABLE: str(lifeline_end)} if knows_lifeline else {},
                cwd=log.parent,
                # Ctrl-C is for the launcher; it ends its components in its own time.
                start_new_session=True,
            )
        self.identity = Identity.of(self._process.pid)

    @property
    def exit_code(self) -> int | None:
        """How the component ended, or nothing while it runs."""
        return self._process.poll()

    def check(self) -> None:
        """Raise an error with the end of the log if the component ended by itself."""
        if self.exit_code is not None:
            raise DevClusterError(
                f"{self.name} ended with exit code {self.exit_code}; the last lines of {self.log}:\n{tail(self.log)}",
            )

    def log_says(self, text: str) -> bool:
        """Tell whether a text occurs in the log."""
        return text in self.log.read_text(encoding="utf-8", errors="replace")

    def wait(self, timeout: float) -> None:
        """Wait until the component has ended by itself."""
        self._process.wait(timeout)

    def kill(self, *, wait: bool = True) -> None:
        """End the component at once, and wait until it is gone unless told otherwise."""
        self._signal(signal.SIGKILL)
        if wait:
            self._process.wait(KILL_TIMEOUT)

    def stop(self, timeout: float) -> None:
        """Ask the component to end, and end it if it takes longer than that."""
        self._signal(signal.SIGTERM)
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()

    def _signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)


def kill_together(processes: Sequence[ComponentProcess]) -> None:
    """End several components at once, so that none spends its last moments complaining about another."""
    for process in processes:
        process.kill(wait=False)
    for process in processes:
        process.kill()

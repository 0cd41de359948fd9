"""One component as a process, with a lifeline and a log, that never outlives its launcher.

Called by the control plane; `Identity` also by code that must recognize a process later. Knows nothing of Kubernetes.
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

# Start times come from a clock that may be adjusted meanwhile; no system reuses a pid within so few seconds.
CLOCK_GRAIN = 5.0

# Only children can be waited for; the end of other processes must be polled.
POLL = 0.02

# The kernel removes a killed process once its files are closed.
KILL_TIMEOUT = 15


@dataclass(frozen=True, slots=True)
class Identity:
    """Identity of a process by pid and start time, because the kernel reuses pids."""

    pid: int
    created: float

    @classmethod
    def of(cls, pid: int) -> Identity:
        """Return the identity of a running process."""
        return cls(pid, psutil.Process(pid).create_time())

    def find(self) -> psutil.Process | None:
        """Return the process, or None if it ended, even if another process has its pid now."""
        try:
            process = psutil.Process(self.pid)
            if abs(process.create_time() - self.created) > CLOCK_GRAIN or process.status() == psutil.STATUS_ZOMBIE:
                return None
        except psutil.NoSuchProcess:
            return None
        return process


def still_running(identities: Iterable[Identity], timeout: float) -> list[psutil.Process]:
    """Wait until processes have ended, and return those that have not.

    They need not be children of this process. A zombie counts as ended, because in a container without an init nothing
    reaps it.
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
            name: The component's name in messages.
            command: The program and its arguments.
            log: The file for its output; appended to, because a component can be restarted.
            lifeline_end: The reading end of the launcher's pipe.
            knows_lifeline: Whether the program itself watches the lifeline; otherwise a guard does.
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
                # A clean environment: a proxy, kubeconfig or Go setting of the caller must not affect a component.
                env={LIFELINE_VARIABLE: str(lifeline_end)} if knows_lifeline else {},
                cwd=log.parent,
                # Ctrl-C must reach only the launcher, which then stops its components in order.
                start_new_session=True,
            )
        self.identity = Identity.of(self._process.pid)

    @property
    def exit_code(self) -> int | None:
        """The component's exit code, or None while it runs."""
        return self._process.poll()

    def check(self) -> None:
        """Raise an error with the end of the log if the component has exited."""
        if self.exit_code is not None:
            raise DevClusterError(
                f"{self.name} ended with exit code {self.exit_code}; the last lines of {self.log}:\n{tail(self.log)}",
            )

    def log_says(self, text: str) -> bool:
        """Return whether the log contains a text."""
        return text in self.log.read_text(encoding="utf-8", errors="replace")

    def wait(self, timeout: float) -> None:
        """Wait until the component has exited."""
        self._process.wait(timeout)

    def kill(self, *, wait: bool = True) -> None:
        """Kill the component, and by default wait until it is gone."""
        self._signal(signal.SIGKILL)
        if wait:
            self._process.wait(KILL_TIMEOUT)

    def stop(self, timeout: float) -> None:
        """Ask the component to exit, and kill it after the timeout."""
        self._signal(signal.SIGTERM)
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()

    def _signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)


def kill_together(processes: Sequence[ComponentProcess]) -> None:
    """Kill several components at the same time, so that none logs errors about the end of another."""
    for process in processes:
        process.kill(wait=False)
    for process in processes:
        process.kill()

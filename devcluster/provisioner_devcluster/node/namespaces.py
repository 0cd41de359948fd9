"""Namespaces of a node's own, for mounts, processes and network: what happens there ends with their first process.

Called by the machine of a node. The first process does nothing but wait, reap, and hold the lifeline: when the launcher
is gone, however it died, it ends, and the kernel ends all other processes in there, unmounts all and takes the
interfaces away. Knows nothing of Kubernetes.
"""

from __future__ import annotations

import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil
from typing_extensions import override

from provisioner_devcluster.errors import DevClusterError
from provisioner_devcluster.process.process import KILL_TIMEOUT, POLL, ComponentProcess

if TYPE_CHECKING:
    import signal
    from collections.abc import Mapping
    from pathlib import Path
    from typing import IO

# Where Debian and its likes keep programs; a launcher's own PATH, of root by way of sudo perhaps, may lack half of it.
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# Forking and becoming another program takes milliseconds; a machine that compiles on every core takes longer.
START_TIMEOUT = 60

# A command that prepares something; copying a large image takes longer than all others.
RUN_TIMEOUT = 300


class Namespaces:
    """Mounts, processes and network apart from this machine's."""

    def __init__(self, pause: Path, log: Path, *, lifeline_end: int) -> None:
        """Make the namespaces.

        Args:
            pause: The program that becomes their first process.
            log: Where its complaints go.
            lifeline_end: The reading end of the launcher's pipe.
        """
        # As a slave of this machine's mounts they lose what is unmounted here, and so keep no file system busy.
        isolate = ["unshare", "--mount", "--propagation=slave", "--pid", "--net", "--fork", "--kill-child=KILL"]
        self._environment = {"PATH": PATH}
        self._inner: list[InnerProcess] = []
        self._outer = ComponentProcess(
            "unshare",
            # An environment of its own, but for what the pause program looks its lifeline up in.
            ["/usr/bin/env", "--chdir=/", f"PATH={PATH}", *isolate, "--", str(pause)],
            log=log,
            lifeline_end=lifeline_end,
            knows_lifeline=True,
        )
        try:
            self._first = self._find_first(pause)
        except BaseException:
            self._outer.kill()
            raise

    @property
    def pid(self) -> int:
        """The first process, as this machine counts."""
        return self._first.pid

    def set_environment(self, variables: Mapping[str, str]) -> None:
        """Have every program find these variables from now on."""
        self._environment |= variables

    def command(self, *program: str) -> list[str]:
        """Return the command line by which a program runs in these namespaces, its environment nobody's."""
        variables = [f"{name}={value}" for name, value in self._environment.items()]
        # Without the second, a program would live on when the process dies that entered on its behalf.
        enter = ["/usr/bin/nsenter", f"--target={self.pid}", "--mount", "--net", "--pid", "--"]
        return [*enter, "/usr/bin/setpriv", "--pdeathsig=KILL", "/usr/bin/env", "-i", "--chdir=/", *variables, *program]

    def run(self, *program: str, given: IO[bytes] | None = None) -> str:
        """Run a program to its end and return what it printed; raise an error if it fails.

        Args:
            program: The program and its arguments.
            given: An open file that it reads as its standard input.
        """
        done = subprocess.run(
            self.command(*program),
            stdin=given or subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=RUN_TIMEOUT,
        )
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip()
            raise DevClusterError(f"`{' '.join(program)}` failed in the node's namespaces: {said}")
        return done.stdout

    def start(self, name: str, *program: str, log: Path, lifeline_end: int) -> InnerProcess:
        """Start a program that stays."""
        # The first process holds the lifeline for all.
        process = InnerProcess(name, self.command(*program), log=log, lifeline_end=lifeline_end, knows_lifeline=True)
        self._inner.append(process)
        return process

    def end(self) -> None:
        """End every process in there and return when the last is gone; harmless when done twice."""
        if self._first.is_running():
            self._first.kill()
        # It ends after its child, and the child after everybody whose first process it is.
        for process in (self._outer, *self._inner):
            process.wait(KILL_TIMEOUT)

    def _find_first(self, pause: Path) -> psutil.Process:
        deadline = time.monotonic() + START_TIMEOUT
        outer = psutil.Process(self._outer.identity.pid)
        while time.monotonic() < deadline:
            self._outer.check()
            for child in outer.children():
                # Between fork and exec it is still a copy of the other.
                if pause.samefile(f"/proc/{child.pid}/exe"):
                    return child
            time.sleep(POLL)
        raise DevClusterError(
            f"Making namespaces took more than {START_TIMEOUT} s. Is the machine very busy? Try again."
        )


class InnerProcess(ComponentProcess):
    """A component in the namespaces. The process known here is the one that entered; signals go to the program."""

    @override
    def _signal(self, number: signal.Signals) -> None:
        # Whoever ends meanwhile needs no signal.
        with suppress(psutil.NoSuchProcess):
            programs = psutil.Process(self._process.pid).children()
            for program in programs:
                program.send_signal(number)
            if not programs:
                super()._signal(number)

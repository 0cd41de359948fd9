"""Mount, process and network namespaces of a node; everything in them ends with their first process.

Called by the sandbox. The first process only waits, reaps, and holds the lifeline: it exits when the launcher is gone,
however that died, and the kernel then kills all other processes, unmounts all file systems and removes the interfaces.
Knows nothing of Kubernetes.
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

# The directories of programs on Debian and similar systems; the launcher's PATH may lack some, as under sudo.
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# Fork and exec take milliseconds, but longer on a machine that compiles on every core.
START_TIMEOUT = 60

# For commands that prepare the node; importing a large image takes longest.
RUN_TIMEOUT = 300


class Namespaces:
    """Mount, process and network namespaces, separate from the host's."""

    def __init__(self, pause: Path, log: Path, *, lifeline_end: int) -> None:
        """Create the namespaces.

        Args:
            pause: The program that becomes their first process.
            log: The file for its error messages.
            lifeline_end: The reading end of the launcher's pipe.
        """
        # With slave propagation an unmount on the host takes effect here too, so the node keeps no file system busy.
        isolate = ["unshare", "--mount", "--propagation=slave", "--pid", "--net", "--fork", "--kill-child=KILL"]
        self._environment = {"PATH": PATH}
        self._inner: list[InnerProcess] = []
        self._outer = ComponentProcess(
            "unshare",
            # Adds to the component's clean environment, in which the pause program finds its lifeline.
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
        """Pid of the first process, as seen on the host."""
        return self._first.pid

    def set_environment(self, variables: Mapping[str, str]) -> None:
        """Add environment variables for all programs started from now on."""
        self._environment |= variables

    def command(self, *program: str) -> list[str]:
        """Return the command line that runs a program in these namespaces, with a clean environment."""
        variables = [f"{name}={value}" for name, value in self._environment.items()]
        # nsenter is the program's parent. setpriv makes the kernel kill the program when nsenter dies.
        enter = ["/usr/bin/nsenter", f"--target={self.pid}", "--mount", "--net", "--pid", "--"]
        return [*enter, "/usr/bin/setpriv", "--pdeathsig=KILL", "/usr/bin/env", "-i", "--chdir=/", *variables, *program]

    def run(self, *program: str, given: IO[bytes] | None = None) -> str:
        """Run a program to its end and return its output; raise an error if it fails.

        Args:
            program: The program and its arguments.
            given: An open file for its standard input.
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
            output = (done.stderr or done.stdout).strip()
            raise DevClusterError(f"`{' '.join(program)}` failed in the node's namespaces: {output}")
        return done.stdout

    def start(self, name: str, *program: str, log: Path, lifeline_end: int) -> InnerProcess:
        """Start a long-running program."""
        # The first process holds the lifeline for all programs in the namespaces.
        process = InnerProcess(name, self.command(*program), log=log, lifeline_end=lifeline_end, knows_lifeline=True)
        self._inner.append(process)
        return process

    def end(self) -> None:
        """End every process in the namespaces and wait until the last is gone; a second call does nothing."""
        if self._first.is_running():
            self._first.kill()
        # `unshare` exits after the first process, which the kernel ends after all others in the namespace.
        for process in (self._outer, *self._inner):
            process.wait(KILL_TIMEOUT)

    def _find_first(self, pause: Path) -> psutil.Process:
        deadline = time.monotonic() + START_TIMEOUT
        outer = psutil.Process(self._outer.identity.pid)
        while time.monotonic() < deadline:
            self._outer.check()
            for child in outer.children():
                # Between fork and exec the child is still a copy of `unshare`.
                if pause.samefile(f"/proc/{child.pid}/exe"):
                    return child
            time.sleep(POLL)
        raise DevClusterError(
            f"Creating the namespaces took more than {START_TIMEOUT} s. Is the machine very busy? Try again."
        )


class InnerProcess(ComponentProcess):
    """A component in the namespaces. Its known process is `nsenter`; signals go to the program, which is its child."""

    @override
    def _signal(self, number: signal.Signals) -> None:
        # A program that has exited meanwhile needs no signal.
        with suppress(psutil.NoSuchProcess):
            programs = psutil.Process(self._process.pid).children()
            for program in programs:
                program.send_signal(number)
            if not programs:
                super()._signal(number)

"""Serve as the first process of a container while the daemon runs below it, until no guard is left.

When a container's first process ends, the kernel or the runtime kills all others at once: if the daemon were that process, its
crash would end guards and Terraform in the middle of a write. So the first process stays small, and its child is the
daemon. It forwards signals, reaps what others leave behind, and after the daemon's end waits for the guards, which stop
their commands in order. Called by `entry_point`, before anything large is imported.
"""

import contextlib
import json
import os
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from provisioner_operator.daemon.execution import guard

FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
"""Signals that people and runtimes send to a container, and mean for its program."""
_POLL_SECONDS = 0.1
"""The pause between two looks at the guards that are left."""


def become_init_if_first() -> None:
    """Return in the process that is to be the daemon: this one, or a child if this is the first of a container.

    The first process then never returns: it exits with the daemon's exit code, 128+n for signal n.
    """
    # Only such a process has a parent outside its namespace; with a shared PID namespace its own number is not 1.
    if sys.platform != "linux" or os.getppid() != 0:
        return
    # Also where it is not process 1: the guards of a dead daemon become its children.
    guard.adopt_orphans()
    # kubelet sends one SIGTERM: one that comes before the handlers waits for them.
    signal.pthread_sigmask(signal.SIG_BLOCK, FORWARDED)
    daemon = os.fork()
    if daemon == 0:
        # A group of its own: a terminal's Ctrl-C reaches the first process alone, and so the daemon once.
        os.setpgid(0, 0)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, FORWARDED)
        return
    code = _outlive(daemon)
    sys.stdout.flush()
    os._exit(code)


def _outlive(daemon: int) -> int:
    """Wait for the daemon, then for all guards, and return the daemon's exit code."""

    def forward(number: int, _frame: FrameType | None) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(daemon, number)

    for number in FORWARDED:
        signal.signal(number, forward)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, FORWARDED)
    while True:
        # Not reaped at once: until then its number cannot pass to another process, which would get its signals.
        ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
        if ended is not None and ended.si_pid == daemon:
            break
        if ended is not None:
            os.waitpid(ended.si_pid, 0)
    for number in FORWARDED:
        signal.signal(number, lambda *_: None)
    _, status = os.waitpid(daemon, 0)
    code = os.waitstatus_to_exitcode(status)
    code = code if code >= 0 else guard.SIGNALED - code
    _await_guards(code)
    return code


def _await_guards(code: int) -> None:
    """Return once no guard is left. What else is left ends with this process."""
    is_told = False
    while guards := [pid for pid in guard.children() if _is_guard(pid)]:
        if not is_told:
            is_told = True
            _log(f"The daemon ended with exit code {code}: waiting for {len(guards)} commands to stop")
        time.sleep(_POLL_SECONDS)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(-1, os.WNOHANG)


def _is_guard(pid: int) -> bool:
    try:
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return arguments[1:4] == [b"-I", b"-S", os.fsencode(guard.__file__)]


def _log(message: str) -> None:
    # As the daemon's own lines, without the modules that write those.
    line = {
        "level": "WARNING",
        "logger": __name__,
        "message": message,
        "timestamp": datetime.now(UTC).isoformat(),
    }
    with contextlib.suppress(OSError):
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()

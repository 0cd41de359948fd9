"""Real processes for the tests of the guard: programs under it, a daemon above it, and waiting without blind sleeps."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

GUARD = Path(__file__).parents[3] / "operator/provisioner_operator/daemon/execution/guard.py"
PATIENCE = 120.0
"""Seconds until a condition must have come true, however busy the machine is."""


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Return once the condition holds; fail when it takes too long."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited {PATIENCE:.0f} s for {what}"
        time.sleep(0.005)


def is_alive(pid: int) -> bool:
    """Tell whether the process still runs (a zombie does not)."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class Witness:
    """A directory in which programs leave their pids and signs of what they did."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def __truediv__(self, name: str) -> Path:
        return self.directory / name

    def saw(self, name: str) -> bool:
        """Tell whether a program left this sign."""
        return (self.directory / name).exists()

    def pid(self, name: str) -> int:
        """Wait for a program's pid file and return what it says."""
        path = self.directory / name
        wait_until(lambda: path.exists() and path.read_text().endswith("\n"), f"the pid of {name}")
        return int(path.read_text())


def python(source: str) -> list[str]:
    """Make a command of some Python."""
    return [sys.executable, "-I", "-S", "-c", source]


def a_program(
    witness: Witness, name: str, *, on_interrupt: str = "sys.exit(3)", before: str = "", body: str = ""
) -> list[str]:
    """Make a program that writes its pid, handles the interrupt as told and then runs `body` or sleeps for long."""
    return python(
        "import os, signal, subprocess, sys, time\n"
        f"def on_interrupt(*_):\n    open({str(witness / (name + '.interrupted'))!r}, 'w').close()\n    {on_interrupt}\n"
        "signal.signal(signal.SIGINT, on_interrupt)\n"
        f"{before}\n"
        # Renamed into place: an interrupt that comes while a file is being closed by its destructor would be lost.
        f"with open({str(witness / (name + '.draft'))!r}, 'w') as draft: draft.write(f'{{os.getpid()}}\\n')\n"
        f"os.rename({str(witness / (name + '.draft'))!r}, {str(witness / name)!r})\n"
        f"{body or 'while True: time.sleep(60)'}\n"
    )


def a_daemon(witness: Witness, command: list[str], *, lost: float, grace: float, workdir: str = "") -> list[str]:
    """Make a process that starts a guard as the daemon does, and then does nothing, not even read."""
    return python(
        "import json, os, subprocess, sys, time\n"
        "out_r, out_w = os.pipe()\n"
        "err_r, err_w = os.pipe()\n"
        "contact = time.clock_gettime(getattr(time, 'CLOCK_BOOTTIME', time.CLOCK_MONOTONIC))\n"
        f"guard = subprocess.Popen([sys.executable, '-I', '-S', {str(GUARD)!r}, str(contact), {str(lost)!r}, {str(grace)!r},\n"
        f"    str(out_r), str(err_r), {workdir!r}, *json.loads({json.dumps(command)!r})],\n"
        "    stdin=subprocess.PIPE, stdout=out_w, stderr=err_w, pass_fds=(out_r, err_r), start_new_session=True)\n"
        "os.close(out_w)\n"
        "os.close(err_w)\n"
        f"open({str(witness / 'guard')!r}, 'w').write(f'{{guard.pid}}\\n')\n"
        "while True: time.sleep(60)\n"
    )

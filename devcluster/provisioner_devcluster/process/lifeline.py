"""A guard for programs that know no lifeline: ends them when the launcher is gone. A program of the standard library alone.

Run as `python lifeline.py FD PROGRAM ARGUMENTS…` by the component launcher. This process becomes the program, so its pid
is the program's; a child of it watches two pipes. One is the launcher's, whose end means that the launcher died, in
whatever way. The other's writing end is held by the program alone, and its end means that the program did.
"""

from __future__ import annotations

import os
import select
import signal
import sys

# The file descriptor, then the program.
FEWEST_ARGUMENTS = 3


def main() -> None:
    """Fork the guard and become the program."""
    if len(sys.argv) < FEWEST_ARGUMENTS:
        sys.exit("usage: lifeline.py FD PROGRAM ARGUMENTS…")
    launcher = int(sys.argv[1])
    program = sys.argv[2:]
    pid = os.getpid()
    alive, held = os.pipe()
    if os.fork() == 0:
        os.close(held)
        _guard(launcher, alive, pid)
    os.close(alive)
    os.set_inheritable(held, True)  # noqa: FBT003  # the standard library's signature
    os.set_inheritable(launcher, False)  # noqa: FBT003
    os.execv(program[0], program)  # noqa: S606  # the point of this program


def _guard(launcher: int, alive: int, pid: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ready, _, _ = select.select([launcher, alive], [], [])
    # While the second pipe is open the pid is the program's own and no stranger's.
    if alive not in ready:
        os.kill(pid, signal.SIGKILL)
    os._exit(0)


if __name__ == "__main__":
    main()

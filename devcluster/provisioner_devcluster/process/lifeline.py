"""Guard for programs that do not watch a lifeline: kills them when the launcher is gone. Uses only the standard library.

Run as `python lifeline.py FD PROGRAM ARGUMENTS…` by the component launcher. This process becomes the program, so its pid
is the program's; a child of it watches two pipes. The first is the launcher's, and closes when the launcher dies in
whatever way. Only the program holds the writing end of the second, which closes when the program exits.
"""

from __future__ import annotations

import os
import select
import signal
import sys

# The lifeline's file descriptor, then the program.
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
    # While the second pipe is open the program runs, so its pid cannot have been reused.
    if alive not in ready:
        os.kill(pid, signal.SIGKILL)
    os._exit(0)


if __name__ == "__main__":
    main()

"""The first process of a PID namespace in which a guard is tried: starts others beside it, and reports who lives after.

Started as `python -I -S first_process.py GUARD`. Writes one JSON object: the guard's exit code, and for each other process
whether it still runs.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

SLEEPER = "import time; time.sleep(3600)"
ESCAPED = "import os, time; os.setsid(); open('escaped', 'w').write(str(os.getpid())); time.sleep(1)"
"""Leaves the command's group, and ends by itself, for a guard that does not find it must come to an end too."""
COMMAND = (
    "import os, subprocess, sys, time; subprocess.Popen([sys.executable, '-I', '-S', '-c', os.environ['ESCAPED']])\n"
    "while not os.path.exists('escaped') or not open('escaped').read(): time.sleep(0.005)"
)
PARENT = (
    "import os, subprocess, sys, time\n"
    "out, out_end = os.pipe(); err, err_end = os.pipe()\n"
    "clock = getattr(time, 'CLOCK_BOOTTIME', time.CLOCK_MONOTONIC)\n"
    "guard = subprocess.Popen([sys.executable, '-I', '-S', sys.argv[1], str(time.clock_gettime(clock)), '3600', '3600',\n"
    "    str(out), str(err), '', sys.executable, '-I', '-S', '-c', sys.argv[2]],\n"
    "    stdin=subprocess.PIPE, pass_fds=(out, err), start_new_session=True)\n"
    "sibling = subprocess.Popen([sys.executable, '-I', '-S', '-c', sys.argv[3]])\n"
    "code = guard.wait()\n"
    "open('draft', 'w').write(f'{code} {sibling.poll() is None}'); os.rename('draft', 'code')\n"
    "time.sleep(3600)"
)


def python(source: str, *arguments: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", source, *arguments],
        start_new_session=True,
        env=os.environ | {"ESCAPED": ESCAPED},
    )


def main() -> int:
    # Whatever the guard does: no process of the machine can be meant by a number that it sees.
    if os.getpid() != 1:
        sys.exit("not the first process of a PID namespace")
    stranger = python(SLEEPER)
    parent = python(PARENT, sys.argv[1], COMMAND, SLEEPER)
    began = time.monotonic()
    while not Path("code").exists() and parent.poll() is None and time.monotonic() - began < 40:
        time.sleep(0.01)
    code, sibling = Path("code").read_text().split() if Path("code").exists() else ("", "False")
    escaped = int(Path("escaped").read_text())
    alive = {"stranger": stranger.poll() is None, "parent": parent.poll() is None, "sibling": sibling == "True"}
    sys.stdout.write(json.dumps({"code": code, "escaped": is_alive(escaped), **alive}))
    return 0


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main())

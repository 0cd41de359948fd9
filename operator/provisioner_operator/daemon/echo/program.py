"""Run as the command of an echo job: wait, write lines, and exit as its settings ask.

Started under a guard like any other command, with its settings as JSON in its environment (a value may have come from
a Secret). Needs only the standard library. If PROVISIONER_ECHO_LEDGER names a file, it appends a line there when it starts
and when it ends, and a job with `hold` runs until a file of that name with `.released-JOB` appended exists.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from types import FrameType

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
_FLOOD_LINE = 1024
_POLL = 0.02
SETTINGS = "PROVISIONER_ECHO_SETTINGS"
OUTPUTS_PREFIX = "outputs: "
"""Marks the line in which the program reports its outputs as JSON."""


class Interrupted(Exception):  # noqa: N818 - not an error of the program
    """SIGINT was received."""


def main() -> int:
    """Run as the settings ask and return the exit code."""
    settings = json.loads(os.environ[SETTINGS])
    ignored = bool(settings["ignore_interrupt"])

    def on_interrupt(_number: int, _frame: FrameType | None) -> None:
        if not ignored:
            raise Interrupted
        os.write(1, b"interrupt ignored\n")

    signal.signal(signal.SIGINT, on_interrupt)
    code = 1
    try:
        # Inside: whoever sees the start may interrupt at once, and the end is recorded all the same.
        _record("start")
        code = _perform(settings)
    except Interrupted:
        print("interrupted", flush=True)  # noqa: T201 - its output is its purpose
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _record("end", code=code)
    return code


def _perform(settings: Mapping[str, object]) -> int:
    lines, seconds, flood = (
        int(str(settings["lines"])),
        float(str(settings["seconds"])),
        int(str(settings["flood_bytes"])),
    )
    begin = time.monotonic()
    for number in range(1, lines + 1):
        print(f"line {number} of {lines}", flush=True)  # noqa: T201
        time.sleep(max(0.0, begin + seconds * number / lines - time.monotonic()))
    for written in range(0, flood, _FLOOD_LINE):
        print("x" * min(_FLOOD_LINE - 1, flood - written))  # noqa: T201
    sys.stdout.flush()
    time.sleep(max(0.0, begin + seconds - time.monotonic()))
    if settings["hold"]:
        _hold()
    if settings["outputs"]:
        print(OUTPUTS_PREFIX + json.dumps(settings["outputs"]), flush=True)  # noqa: T201
    if settings["fail"]:
        print(settings["fail"], file=sys.stderr, flush=True)  # noqa: T201
        return 1
    return 0


def _hold() -> None:
    # Beside the ledger, which the daemon's environment names, so that no job can ask about files of its daemon's machine.
    ledger, job = os.environ.get("PROVISIONER_ECHO_LEDGER", ""), os.environ.get("PROVISIONER_JOB_NAME", "")
    while not os.path.exists(f"{ledger}.released-{job}"):  # noqa: PTH110 - pathlib would cost each start its import
        time.sleep(_POLL)


def _record(event: str, **more: object) -> None:
    path = os.environ.get("PROVISIONER_ECHO_LEDGER")
    if not path:
        return
    entry = {"event": event, "pid": os.getpid(), "time": time.clock_gettime(_CLOCK)}
    entry |= {key: os.environ.get(f"PROVISIONER_{key.upper()}", "") for key in _IDENTITY} | more
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(descriptor, json.dumps(entry).encode() + b"\n")
    os.close(descriptor)


_IDENTITY = ("job_uid", "job_name", "job_namespace", "workspace", "daemon", "instance")


if __name__ == "__main__":
    sys.exit(main())

"""Run a program in a PID namespace, so that it cannot kill anything outside, whatever its mistakes."""

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence

import pytest


def in_pid_namespace(command: Sequence[str], *, seconds: float = 60.0) -> "subprocess.CompletedProcess[str]":
    """Run the command as the first process of a namespace of its own; every process in it ends with it.

    Skips the test where no namespace is available; fails it in CI on Linux, where one is required.
    """
    if (why := _obstacle()) is not None:
        sentence = f"This may only run in a PID namespace of its own, and there is none: {why}."
        if sys.platform == "linux" and os.environ.get("CI") == "true":
            pytest.fail(sentence)
        pytest.skip(sentence)
    return subprocess.run(
        [*unshare(), *command], capture_output=True, text=True, timeout=seconds, stdin=subprocess.DEVNULL, check=False
    )


@functools.cache
def _obstacle() -> str | None:
    if sys.platform != "linux":
        return "only Linux has them"
    if shutil.which("unshare") is None:
        return "the program unshare is missing"
    probe = [
        *unshare(),
        sys.executable,
        "-I",
        "-S",
        "-c",
        "import os; print(os.getpid(), os.listdir('/proc/1') != [])",
    ]
    answer = subprocess.run(probe, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, check=False)
    if answer.stdout.split() == ["1", "True"]:
        return None
    return answer.stderr.strip() or f"unshare answered {answer.stdout!r}"


def unshare() -> list[str]:
    """Return the command that makes the namespace: as root, or as a user who is root in a user namespace."""
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return ["unshare", *user, "--pid", "--fork", "--mount-proc", "--kill-child"]

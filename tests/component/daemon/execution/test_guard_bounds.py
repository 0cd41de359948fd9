"""The processes that a guard may kill: two bounds, each of which suffices if the other is broken.

Guards with a mistake in them run in a PID namespace of their own, never beside the processes of the machine.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from component.daemon.processes import GUARD
from provisioner_operator.daemon.execution.guard import may_kill
from support.pid_namespace import in_pid_namespace

FIRST_PROCESS = Path(__file__).with_name("first_process.py")
OTHERS = {"stranger": True, "parent": True, "sibling": True}

FINDER = "== os.getpid():"
GROUP = "_kill_group(self._command.pid)\n            code"
BOUND = "filter(may_kill, children())"
MISTAKES = {
    "takes everybody else for its child": (FINDER, "!= os.getpid():"),
    "takes every process for its child": (FINDER, "> -1:"),
    "takes its parent's children for its own": (FINDER, "== os.getppid():"),
    "takes all processes for the command's group": (GROUP, "_kill_group(1)\n            code"),
    "takes its own group for the command's": (GROUP, "_kill_group(0)\n            code"),
    "takes its parent's group for the command's": (GROUP, "_kill_group(os.getppid())\n            code"),
    "asks nobody whether it may kill": (BOUND, "children()"),
}


def tried(guard: Path, directory: Path) -> dict[str, Any]:
    """Run the guard among other processes in a namespace and return what became of them."""
    script = f"cd {directory} && exec {sys.executable} -I -S {FIRST_PROCESS} {guard}"
    answer = in_pid_namespace(["sh", "-c", script])
    assert answer.returncode == 0, answer.stderr
    outcome: dict[str, Any] = json.loads(answer.stdout)
    return outcome


def test_a_guard_kills_what_left_the_commands_group_and_nobody_else(tmp_path: Path) -> None:
    outcome = tried(GUARD, tmp_path)
    assert outcome["code"] == "0"
    assert not outcome["escaped"]
    assert OTHERS.items() <= outcome.items()


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_guard_with_one_mistake_still_kills_nobody_else(tmp_path: Path, mistake: str) -> None:
    right, wrong = MISTAKES[mistake]
    source = GUARD.read_text()
    assert source.count(right) == 1, "the mistake no longer fits the code"
    guard = tmp_path / "guard.py"
    guard.write_text(source.replace(right, wrong))
    outcome = tried(guard, tmp_path)
    assert outcome["code"] == "0"
    assert OTHERS.items() <= outcome.items()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the guard kills the command's own group alone")
def test_only_a_child_that_was_not_reaped_may_be_killed() -> None:
    grandchild = "import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', 'input()'], stdin=0); print(p.pid, flush=True); p.wait()"
    with subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", grandchild], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        below = int(child.stdout.readline())
        assert may_kill(child.pid)
        assert not may_kill(below)
        child.stdin.write("\n")
    assert not may_kill(child.pid)


def test_everybody_itself_and_those_above_may_never_be_killed() -> None:
    for pid in (-1, 0, 1, os.getpid(), os.getppid(), os.getpgrp()):
        assert not may_kill(pid)

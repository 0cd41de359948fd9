"""A guard that is killed itself: nothing of its command is left, and nothing of other commands is touched."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support.pid_namespace import in_pid_namespace

SOURCES = Path(__file__).parents[4] / "operator"
DAEMON = """
import asyncio, json, os, pathlib, signal, sys
from provisioner_operator.daemon.execution.command import Command
from provisioner_operator.daemon.execution.contact import Contact
from provisioner_operator.daemon.execution.guard import adopt_orphans, now

BELOW = "import os, time; os.setsid(); open('below', 'w').write(str(os.getpid())); time.sleep(3600)"
COMMAND = (
    "import os, subprocess, sys, time; subprocess.Popen([sys.executable, '-I', '-S', '-c', sys.argv[1]]);"
    "open('command', 'w').write(str(os.getpid())); time.sleep(3600)"
)

async def start(*command):
    async def on_lines(*_): ...
    return await Command.start(
        [sys.executable, "-I", "-S", "-c", *command], directory=pathlib.Path.cwd(), environment=dict(os.environ),
        contact=Contact(now(), 3600.0), grace=3600.0, on_lines=on_lines)

async def pid(name):
    while not (path := pathlib.Path(name)).exists() or not path.read_text():
        await asyncio.sleep(0.01)
    return int(path.read_text())

async def main():
    adopt_orphans()
    first, other = await start(COMMAND, BELOW), await start("import time; time.sleep(3600)")
    pids = [await pid("command"), await pid("below")]
    os.kill(first._process.pid, signal.SIGKILL)
    others = [asyncio.create_task(start("pass")) for _ in range(3)]  # guards that start meanwhile
    async with asyncio.timeout(60):
        code = await first.wait()
        codes = [await (await each).wait() for each in others]
    print(json.dumps({
        "code": code, "left": [each for each in pids if os.path.exists(f"/proc/{each}")],
        "other": other.ended, "later": codes,
    }))
    other.kill()
    await other.wait()

asyncio.run(main())
"""


def test_a_killed_guard_reads_as_killed_and_leaves_nothing_while_others_run_on(tmp_path: Path) -> None:
    script = f"cd {tmp_path} && PYTHONPATH={SOURCES} exec {sys.executable} daemon.py"
    (tmp_path / "daemon.py").write_text(DAEMON)
    # In a namespace, as it kills; below a shell, as the first process adopts orphans whatever it does.
    answer = in_pid_namespace(["sh", "-c", f"({script}); exit $?"], seconds=90)
    assert answer.returncode == 0, answer.stderr
    outcome: dict[str, Any] = json.loads(answer.stdout)
    assert outcome == {"code": 137, "left": [], "other": False, "later": [0, 0, 0]}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a process adopt orphans")
def test_a_process_adopts_orphans_once_it_has_asked_for_them() -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); "
        "from provisioner_operator.daemon.execution.guard import adopt_orphans, adopts_orphans; "
        "print(adopts_orphans()); adopt_orphans(); print(adopts_orphans())"
    )
    command = [sys.executable, "-c", program, str(SOURCES)]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert answer.stdout.split() == ["False", "True"]

"""Code in the sandbox can neither end a process outside of it nor write to a file outside of its scratch folder."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from mutation.sandbox import HUNG, Limits, Sandbox, has_namespaces
from mutation.worktree import Copy

pytestmark = pytest.mark.skipif(not has_namespaces(), reason="namespaces need Linux and root")
LIMITS = Limits(idle=120, cpu=60)


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    copy = Copy(tmp_path / "scratch")
    (copy.root / "operator").mkdir(parents=True)
    (copy.scratch / "tmp").mkdir()
    return Sandbox(copy)


def test_a_kill_of_every_process_ends_only_its_own(sandbox: Sandbox, tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as bystander:
        kill_all = "import os, subprocess; subprocess.Popen(['sleep', '100']); os.kill(-1, 9); os._exit(3)"

        assert (
            sandbox.run([sys.executable, "-c", kill_all], {}, LIMITS, tmp_path / "log") == 3
        )  # the caller itself is spared
        assert bystander.poll() is None
        bystander.kill()


def test_it_sees_no_process_of_the_machine(sandbox: Sandbox, tmp_path: Path) -> None:
    listing = "import os; print({int(each) for each in os.listdir('/proc') if each.isdigit()} - {1, os.getpid()})"

    assert sandbox.run([sys.executable, "-c", listing], {}, LIMITS, tmp_path / "log") == 0
    assert (tmp_path / "log").read_text(encoding="utf-8") == "set()\n"


def test_only_the_scratch_folder_can_be_written(sandbox: Sandbox, tmp_path: Path) -> None:
    inside, outside = sandbox.copy.scratch / "inside", tmp_path / "outside"

    assert sandbox.run(["touch", str(inside)], {}, LIMITS, tmp_path / "log") == 0
    assert sandbox.run(["touch", str(outside)], {}, LIMITS, tmp_path / "log") == 1
    assert inside.exists()
    assert not outside.exists()


def test_an_idle_command_is_ended_with_its_children(sandbox: Sandbox, tmp_path: Path) -> None:
    beats = sandbox.copy.scratch / "beats"
    child = f"while :; do echo >> {beats}; sleep 0.05; done"

    assert sandbox.run(["sh", "-c", f"({child}) & sleep 100"], {}, Limits(idle=2, cpu=60), tmp_path / "log") == HUNG
    time.sleep(0.3)
    size = beats.stat().st_size
    time.sleep(0.3)
    assert size == beats.stat().st_size > 0


def test_a_busy_command_may_take_longer_than_an_idle_one(sandbox: Sandbox, tmp_path: Path) -> None:
    busy = "import time; [0 for _ in iter(lambda: time.thread_time() < 4, False)]"

    assert sandbox.run([sys.executable, "-c", busy], {}, Limits(idle=2, cpu=60), tmp_path / "log") == 0


def test_a_loop_is_ended_by_its_cpu_time(sandbox: Sandbox, tmp_path: Path) -> None:
    loop = [sys.executable, "-c", "while True: pass"]

    assert sandbox.run(loop, {}, Limits(idle=600, cpu=1), tmp_path / "log") == HUNG

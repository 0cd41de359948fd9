"""Code in the sandbox can neither end a process outside of it nor write to a file outside of its scratch folder."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from mutation.sandbox import HUNG, Limits, Sandbox, has_namespaces
from mutation.worktree import REPOSITORY, Copy

pytestmark = pytest.mark.skipif(not has_namespaces(), reason="namespaces need Linux and root")
LIMITS = Limits(idle=120, cpu=60)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    copy = Copy(tmp_path / "scratch")
    (copy.root / "operator").mkdir(parents=True)
    (copy.scratch / "tmp").mkdir()
    shutil.copytree(REPOSITORY / "tests" / "mutation", copy.root / "tests" / "mutation")
    with closing(Sandbox(copy)) as made:
        yield made


def run(sandbox: Sandbox, code: str, limits: Limits = LIMITS) -> tuple[int, str]:
    """Exit code and output of a module with this code."""
    log = sandbox.copy.scratch / "log"
    (sandbox.copy.root / "tests" / "tried.py").write_text(code, encoding="utf-8")
    return sandbox.run(["tried"], {}, limits, log), log.read_text(encoding="utf-8")


def test_a_kill_of_every_process_ends_only_its_own(sandbox: Sandbox) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as bystander:
        kill_all = "import os, subprocess; subprocess.Popen(['sleep', '100']); os.kill(-1, 9); os._exit(3)"

        assert run(sandbox, kill_all) == (3, "")  # the caller itself is spared
        assert bystander.poll() is None
        bystander.kill()


def test_it_sees_no_process_of_the_machine(sandbox: Sandbox) -> None:
    code = "import os; print({int(each) for each in os.listdir('/proc') if each.isdigit()} - {1, os.getpid()})"

    assert run(sandbox, code) == (0, "set()\n")


def test_a_run_leaves_no_process_to_the_next(sandbox: Sandbox) -> None:
    beats = sandbox.copy.scratch / "beats"
    beat = f"while :; do echo >> {beats}; sleep 0.05; done"
    code = f"import pathlib, subprocess; subprocess.Popen(['sh', '-c', {beat!r}])\nwhile not pathlib.Path({str(beats)!r}).exists(): pass"

    assert run(sandbox, code) == (0, "")
    assert run(sandbox, "import os; print(os.getpid())")[0] == 0
    size = beats.stat().st_size
    time.sleep(0.3)
    assert size == beats.stat().st_size


def test_a_run_imports_modules_as_they_are_then(sandbox: Sandbox) -> None:
    """But libraries as they were when a run before imported them."""
    (sandbox.copy.root / "tests" / "changed.py").write_text("VALUE = 1", encoding="utf-8")
    code = "import sys; print('http.client' in sys.modules); import changed, http.client; print(changed.VALUE)"

    assert run(sandbox, code) == (0, "False\n1\n")
    (sandbox.copy.root / "tests" / "changed.py").write_text("VALUE = 20", encoding="utf-8")
    assert run(sandbox, code) == (0, "True\n20\n")


def test_only_the_scratch_folder_can_be_written(sandbox: Sandbox, tmp_path: Path) -> None:
    inside, outside = sandbox.copy.scratch / "inside", tmp_path / "outside"
    touch = "import pathlib; pathlib.Path({!r}).touch()"

    assert run(sandbox, touch.format(str(inside))) == (0, "")
    code, error = run(sandbox, touch.format(str(outside)))
    assert (code, "Read-only file system" in error) == (1, True)
    assert inside.exists()
    assert not outside.exists()


def test_an_idle_command_is_ended_with_its_children_and_the_next_one_runs(sandbox: Sandbox) -> None:
    beats = sandbox.copy.scratch / "beats"
    beat = f"while :; do echo >> {beats}; sleep 0.05; done"
    code = f"import subprocess, time; subprocess.Popen(['sh', '-c', {beat!r}]); time.sleep(100)"

    assert run(sandbox, code, Limits(idle=2, cpu=60))[0] == HUNG
    time.sleep(0.3)
    size = beats.stat().st_size
    time.sleep(0.3)
    assert size == beats.stat().st_size > 0
    assert run(sandbox, "print(1)") == (0, "1\n")


def test_a_busy_command_may_take_longer_than_an_idle_one(sandbox: Sandbox) -> None:
    busy = "import time; [0 for _ in iter(lambda: time.thread_time() < 4, False)]"

    assert run(sandbox, busy, Limits(idle=2, cpu=60))[0] == 0


def test_a_loop_is_ended_by_its_cpu_time(sandbox: Sandbox) -> None:
    assert run(sandbox, "while True: pass", Limits(idle=600, cpu=1))[0] == HUNG

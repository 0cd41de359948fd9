"""The guard with real processes: whatever happens to the daemon, nothing of a command stays alive."""

import contextlib
import fcntl
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from component.daemon.processes import GUARD, Witness, a_daemon, a_program, is_alive, python, wait_until
from provisioner_operator.daemon.execution.guard import CANNOT_EXECUTE, INTERRUPT_AT, KILL_AT, now

LONG = 3600.0
SILENT_FOR = 24.0
"""A loss period of which so much is over that the interrupt is due, while a program has time to mind it before the kill."""
SOON = 6.0
"""A loss period that is over soon, and leaves a program the time to start and to mind the interrupt on any machine."""


class Watched:
    """A guard started by the test, which plays the daemon."""

    def __init__(
        self, command: list[str], *, grace: float = LONG, lowest: int = 0, silent_for: float = SILENT_FOR
    ) -> None:
        self.contact = now() - silent_for
        self.lost = silent_for / INTERRUPT_AT
        out, out_end = os.pipe()
        err, err_end = os.pipe()
        out, err = (_renumbered(each, lowest) for each in (out, err))
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-I",
                "-S",
                str(GUARD),
                str(self.contact),
                str(LONG),
                str(grace),
                str(out),
                str(err),
                "",
                *command,
            ],
            stdin=subprocess.PIPE,
            stdout=out_end,
            stderr=err_end,
            pass_fds=(out, err),
            start_new_session=True,
        )
        os.close(out_end)
        os.close(err_end)
        self.out, self.err = os.fdopen(out, "rb"), os.fdopen(err, "rb")

    def say(self, message: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(message.encode() + b"\n")
        self.process.stdin.flush()

    def fall_silent(self) -> None:
        """Say that the first contact, an older one than which counts for nothing, was so long ago that the interrupt is due."""
        self.say(f"contact 0 {self.lost}")

    def hang_up(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()

    def code(self) -> int:
        return self.process.wait(timeout=30)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.out, self.err):
            assert stream is not None
            stream.close()


def _renumbered(descriptor: int, lowest: int) -> int:
    """Return a descriptor of the same pipe that has at least this number."""
    renumbered = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, lowest)
    os.close(descriptor)
    return renumbered


@pytest.fixture
def many_descriptors() -> Iterator[int]:
    """The number of a descriptor above all that `select` takes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))
    try:
        yield 2000
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    return Witness(tmp_path)


@contextlib.contextmanager
def guarded(
    command: list[str], *, grace: float = LONG, lowest: int = 0, silent_for: float = SILENT_FOR
) -> Iterator[Watched]:
    watched = Watched(command, grace=grace, lowest=lowest, silent_for=silent_for)
    try:
        yield watched
    finally:
        watched.close()


@contextlib.contextmanager
def daemon(
    witness: Witness, command: list[str], *, lost: float = LONG, grace: float = LONG, workdir: str = ""
) -> Iterator[psutil.Popen]:
    process = psutil.Popen(a_daemon(witness, command, lost=lost, grace=grace, workdir=workdir))
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_command_that_ends_just_before_its_interrupt_keeps_its_exit_code() -> None:
    late = (
        "import os, sys\n"
        "from provisioner_operator.daemon.execution import guard\n"
        "class Late(guard.Guard):\n"
        "    def _enforce(self):\n"
        "        os.waitid(os.P_PID, self._command.pid, os.WEXITED | os.WNOWAIT)\n"
        "        self._fence.interrupt()\n"
        "        super()._enforce()\n"
        "guard.Guard = Late\n"
        "sys.exit(guard.main(sys.argv[1:]))\n"
    )
    arguments = [str(now()), "3600", "3600", "1", "2", "", *python("import sys; sys.exit(7)")]
    with subprocess.Popen([sys.executable, "-c", late, *arguments], stdin=subprocess.PIPE) as process:
        assert process.wait(LONG) == 7


def test_the_exit_code_and_both_outputs_of_the_command_come_through() -> None:
    with guarded(python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(7)")) as run:
        assert run.code() == 7
        assert run.out.read() == b"out\n"
        assert run.err.read() == b"err\n"


def test_a_command_that_died_of_a_signal_gives_128_and_the_signal() -> None:
    with guarded(python("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")) as run:
        assert run.code() == 128 + signal.SIGKILL


def test_a_program_that_cannot_be_started_is_named() -> None:
    with guarded(["/nonexistent/terraform"]) as run:
        assert run.code() == CANNOT_EXECUTE
        assert run.err.read() == b"cannot start /nonexistent/terraform: No such file or directory\n"


def test_the_command_has_no_standard_input_and_a_session_of_its_own() -> None:
    with guarded(python("import os, sys; print(repr(sys.stdin.read()), os.getsid(0) == os.getpid())")) as run:
        assert run.code() == 0
        assert run.out.read() == b"'' True\n"


def test_the_command_does_not_inherit_ignored_signals() -> None:
    source = "import signal; print(all(signal.getsignal(s) in (signal.SIG_DFL, signal.default_int_handler) for s in (2, 3, 15, 1)))"
    with guarded(python(source)) as run:
        assert run.code() == 0
        assert run.out.read() == b"True\n"


def test_an_interrupt_reaches_the_leader_and_not_its_children(witness: Witness) -> None:
    child = a_program(witness, "child")
    body = f"child = subprocess.Popen({child!r})\nwhile True: time.sleep(60)"
    with guarded(a_program(witness, "leader", body=body)) as run:
        witness.pid("child")
        run.say("interrupt")
        assert run.code() == 3
    assert witness.saw("leader.interrupted")
    assert not witness.saw("child.interrupted")


def test_a_command_of_a_dead_daemon_that_had_many_files_open_ends_in_order(
    witness: Witness, many_descriptors: int
) -> None:
    # More than the pipe holds: unread, it would keep the command from its end.
    last_words = "sys.stdout.write('x' * 1_000_000); sys.stdout.flush(); sys.exit(5)"
    command = a_program(witness, "leader", on_interrupt=last_words)
    with guarded(command, lowest=many_descriptors) as run:
        witness.pid("leader")
        run.hang_up()
        assert run.code() == 5
    assert witness.saw("leader.interrupted")


def test_an_interrupt_is_sent_once(witness: Witness) -> None:
    count = f"open({str(witness / 'count')!r}, 'a').write('x')"
    with guarded(a_program(witness, "leader", on_interrupt=count)) as run:
        witness.pid("leader")
        run.say("interrupt")
        wait_until(lambda: witness.saw("count"), "the interrupt")
        run.say("interrupt")
        run.say(f"contact {now()} {LONG}")
        run.say("kill")
        assert run.code() == 128 + signal.SIGKILL
    assert (witness / "count").read_text() == "x"


def test_a_kill_ends_a_command_that_ignores_the_interrupt_and_its_children(witness: Witness) -> None:
    child = a_program(witness, "child", on_interrupt="pass")
    with guarded(a_program(witness, "leader", on_interrupt="pass", body=f"subprocess.Popen({child!r}).wait()")) as run:
        leader, grandchild = witness.pid("leader"), witness.pid("child")
        run.say("interrupt")
        wait_until(lambda: witness.saw("leader.interrupted"), "the interrupt")
        assert is_alive(leader)
        run.say("kill")
        assert run.code() == 128 + signal.SIGKILL
        assert not is_alive(leader)
        assert not is_alive(grandchild)


def test_stragglers_of_a_command_that_ended_are_killed(witness: Witness) -> None:
    child = a_program(witness, "child")
    body = f"subprocess.Popen({child!r})\nwhile not os.path.exists({str(witness / 'child')!r}): time.sleep(0.005)"
    with guarded(a_program(witness, "leader", body=body)) as run:
        assert run.code() == 0
        assert not is_alive(witness.pid("child"))


def test_stragglers_that_left_the_group_are_killed_too(witness: Witness) -> None:
    child = a_program(witness, "child", before="os.setsid()")
    body = f"subprocess.Popen({child!r})\nwhile not os.path.exists({str(witness / 'child')!r}): time.sleep(0.005)"
    with guarded(a_program(witness, "leader", body=body)) as run:
        assert run.code() == 0
        assert not is_alive(witness.pid("child"))


def test_lost_contact_interrupts_the_command(witness: Witness) -> None:
    # So long that the command has most of a minute until the kill, on a busy machine too.
    with guarded(a_program(witness, "leader"), silent_for=10 * SILENT_FOR) as run:
        witness.pid("leader")
        run.fall_silent()
        assert run.code() == 3
        assert witness.saw("leader.interrupted")


def test_lost_contact_kills_a_command_that_ignores_the_interrupt_before_the_daemon_counts_as_lost(
    witness: Witness,
) -> None:
    with guarded(a_program(witness, "leader", on_interrupt="pass")) as run:
        witness.pid("leader")
        run.fall_silent()
        assert run.code() == 128 + signal.SIGKILL
        assert now() - run.contact >= KILL_AT * run.lost
        assert witness.saw("leader.interrupted")


def test_contact_renews_the_fence(witness: Witness) -> None:
    with guarded(a_program(witness, "leader")) as run:
        witness.pid("leader")
        run.say(f"contact {now()} 1.0\ncontact {now()} {LONG}")
        time.sleep(1.2)
        assert run.process.poll() is None
        run.say("interrupt")
        assert run.code() == 3


def test_what_the_guard_does_not_understand_renews_nothing(witness: Witness) -> None:
    with guarded(a_program(witness, "leader")) as run:
        witness.pid("leader")
        run.say(f"contact {now()} 1.0")
        for nonsense in ("contact", "contact now forever", "\xff", "", "hello"):
            run.say(nonsense)
        assert run.code() != 0


def test_a_killed_daemon_takes_its_command_with_it(witness: Witness) -> None:
    child = a_program(witness, "child")
    leader = a_program(witness, "leader", body=f"subprocess.Popen({child!r}).wait()")
    with daemon(witness, leader) as process:
        pids = [witness.pid(name) for name in ("guard", "leader", "child")]
        process.kill()
        wait_until(lambda: not any(map(is_alive, pids)), "the end of all processes")
    assert witness.saw("leader.interrupted")


def test_a_killed_daemons_command_that_ignores_the_interrupt_is_killed_after_the_grace(witness: Witness) -> None:
    with daemon(witness, a_program(witness, "leader", on_interrupt="pass"), grace=2.0) as process:
        pids = [witness.pid("guard"), witness.pid("leader")]
        process.kill()
        wait_until(lambda: not any(map(is_alive, pids)), "the end of all processes")
    assert witness.saw("leader.interrupted")


def test_a_killed_daemons_command_is_killed_at_the_fence_when_that_comes_before_the_grace(witness: Witness) -> None:
    with daemon(witness, a_program(witness, "leader", on_interrupt="pass"), lost=SOON, grace=LONG) as process:
        pids = [witness.pid("guard"), witness.pid("leader")]
        process.kill()
        wait_until(lambda: not any(map(is_alive, pids)), "the end of all processes")


def test_a_killed_daemons_command_can_still_write_and_end_in_order(witness: Witness) -> None:
    saved = f"print('x' * 1_000_000, flush=True); open({str(witness / 'saved')!r}, 'w').close(); sys.exit(0)"
    with daemon(witness, a_program(witness, "leader", on_interrupt=saved)) as process:
        pids = [witness.pid("guard"), witness.pid("leader")]
        process.kill()
        wait_until(lambda: not any(map(is_alive, pids)), "the end of all processes")
    assert witness.saw("saved")


def test_a_stopped_daemons_command_is_killed_at_the_fence(witness: Witness) -> None:
    with daemon(witness, a_program(witness, "leader", on_interrupt="pass"), lost=SOON) as process:
        pids = [witness.pid("guard"), witness.pid("leader")]
        process.send_signal(signal.SIGSTOP)
        wait_until(lambda: not any(map(is_alive, pids)), "the end of guard and command")
        assert process.status() == psutil.STATUS_STOPPED
    assert witness.saw("leader.interrupted")


def test_a_stopped_daemon_whose_command_floods_its_output_has_it_killed_too(witness: Witness) -> None:
    flood = "while True: os.write(1, b'x' * 65536)"
    with daemon(witness, a_program(witness, "leader", on_interrupt="pass", body=flood), lost=SOON) as process:
        pids = [witness.pid("guard"), witness.pid("leader")]
        process.send_signal(signal.SIGSTOP)
        wait_until(lambda: not any(map(is_alive, pids)), "the end of guard and command")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux signals the death of a parent")
def test_a_killed_guard_takes_its_command_with_it(witness: Witness) -> None:
    with guarded(a_program(witness, "command")) as watched:
        command = witness.pid("command")
        watched.process.kill()
        wait_until(lambda: not is_alive(command), "the end of the command")


def test_the_guard_shrugs_off_the_signals_of_a_terminal(witness: Witness) -> None:
    with guarded(a_program(witness, "leader")) as run:
        witness.pid("leader")
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            run.process.send_signal(number)
        run.say("interrupt")
        assert run.code() == 3


@pytest.mark.parametrize(
    ("left", "kept"), [("secret.tfplan", False), ("errored.tfstate", True), ("repository/dev/errored.tfstate", True)]
)
def test_a_killed_daemons_files_are_removed_but_for_an_unsaved_state(
    witness: Witness, left: str, *, kept: bool
) -> None:
    workdir = witness / "workdir"
    (workdir / left).parent.mkdir(parents=True)
    (workdir / left).touch()
    with daemon(witness, a_program(witness, "leader"), workdir=str(workdir)) as process:
        pids = [witness.pid("guard"), witness.pid("leader")]
        process.kill()
        wait_until(lambda: not any(map(is_alive, pids)), "the end of all processes")
    assert (workdir / left).exists() is kept

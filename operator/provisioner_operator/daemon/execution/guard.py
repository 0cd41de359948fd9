"""Guard one command: stop it when its daemon dies, loses contact with the API server, or asks for it.

Started by `command.py`, once per command, as `python -I -S guard.py CONTACT LOST GRACE OUT ERR WORKDIR PROGRAM ARGUMENT…`. It
is a process of its own so that neither a crash nor a hang of the daemon can leave a command running, and it needs
nothing but the standard library, so that it starts in a few milliseconds. It knows no job and no API server.

    daemon ── lifeline (stdin), one line per message ──> guard (own session) ── signals ──> command (own session)
       ^──────────────────────────── stdout and stderr, two pipes ─────────────────────────────┘

Messages: `contact SECONDS LOST` (a heartbeat sent at that time succeeded, and the fence is counted by LOST), `interrupt`,
`kill`. End of file means that the daemon is dead; then the guard also removes WORKDIR, which may hold secrets, but never
a state that Terraform could not save.

The fence, counted from the last contact: at 0.8 of LOST the command is interrupted, at 0.95 its group is killed, so
that nothing of it runs when the controller may assign the job's workspace to another daemon. Nothing postpones a kill: not
even a contact that comes after the interrupt. If the guard itself is killed, the kernel kills the command with it (Linux).
"""

import contextlib
import ctypes
import math
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable

INTERRUPT_AT = 0.8
"""Fraction of LOST without contact after which the command is interrupted."""
KILL_AT = 0.95
"""Fraction of LOST without contact after which the command's group is killed."""
LONGEST_SLEEP = 0.01
"""Fraction of LOST after which the guard reads the clock again: the clock counts the time that a machine is suspended, a
sleep does not."""
CANNOT_EXECUTE = 126
"""Exit code, as a shell's, when the program could not be started."""
SIGNALED = 128
"""Exit code, as a shell's, of a command that died of signal n: this plus n."""

UNSAVED_STATE = "errored.tfstate"
"""The file that Terraform leaves where it runs when it could not save its state: the only record of existing resources."""
RUN_RECORD = "provisioner_run.json"
"""The file in a run's directory that tells whose state this is; it stays as long as such a state does."""

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_PR_GET_CHILD_SUBREAPER = 37
_CHUNK = 65_536
_FOLDER_MODE = 0o700
_REAP_PAUSE = 0.002


def unsaved_states(directory: str | os.PathLike[str]) -> list[str]:
    """Find the states that Terraform could not save, wherever in the directory it ran.

    Not looked for in `.terraform`, where it keeps what it downloaded.
    """
    found = []
    for folder, folders, files in os.walk(directory):
        folders[:] = [name for name in folders if name != ".terraform"]
        if UNSAVED_STATE in files:
            found.append(os.path.join(folder, UNSAVED_STATE))  # noqa: PTH118 - pathlib would cost each start its import
    return found


def open_folders(directory: str | os.PathLike[str]) -> None:
    """Make all folders of the directory readable and writable, so that a run cannot keep its files from being removed."""
    with contextlib.suppress(OSError):
        os.chmod(directory, _FOLDER_MODE)  # noqa: PTH101 - pathlib would cost each start its import
    for folder, folders, _ in os.walk(directory):
        for name in folders:
            path = os.path.join(folder, name)  # noqa: PTH118 - as above
            # Before the walk enters it. Not a link, whose target may lie elsewhere.
            if not os.path.islink(path):  # noqa: PTH114 - as above
                with contextlib.suppress(OSError):
                    os.chmod(path, _FOLDER_MODE)  # noqa: PTH101 - as above


def now() -> float:
    """Return the time by the clock that daemon and guard share: seconds since boot, suspended time included where supported."""
    return time.clock_gettime(_CLOCK)


class Fence:
    """The times at which the command must be interrupted and killed. Holds no process and reads no clock."""

    __slots__ = ("_contact", "_grace", "_interrupted", "_kill_at", "_lost")

    def __init__(self, contact: float, lost: float, grace: float) -> None:
        self._contact = contact
        self._lost = lost
        self._grace = grace
        self._interrupted = False
        self._kill_at = float("inf")

    def renew(self, contact: float, lost: float) -> None:
        """Record a contact; one older than the last changes only the time that may pass without another."""
        self._contact = max(self._contact, contact)
        self._lost = lost

    def interrupt(self) -> None:
        """Interrupt now, without a deadline: the daemon itself kills after the grace period of a cancel."""
        self._interrupted = True

    def kill(self) -> None:
        """Kill now."""
        self._kill_at = float("-inf")

    def orphan(self, now: float) -> None:
        """Interrupt now and kill after the grace period or at the fence, whichever is first: the daemon is dead."""
        self._interrupted = True
        self._kill_at = min(self._kill_at, now + self._grace)

    def wants_interrupt(self, now: float) -> bool:
        """Return whether the command must be interrupted by now."""
        if now >= self._contact + INTERRUPT_AT * self._lost:
            self._interrupted = True
            self._kill_at = min(self._kill_at, self._contact + KILL_AT * self._lost)
        return self._interrupted

    def wants_kill(self, now: float) -> bool:
        """Return whether the command's group must be killed by now."""
        return now >= min(self._kill_at, self._contact + KILL_AT * self._lost)

    def sleep(self, now: float) -> float:
        """Return the seconds for which nothing has to be done unless a message comes."""
        due = min(self._kill_at, self._contact + KILL_AT * self._lost)
        if not self._interrupted:
            due = min(due, self._contact + INTERRUPT_AT * self._lost)
        return max(0.0, min(due - now, LONGEST_SLEEP * self._lost))


class Guard:
    """Applies the fence and the daemon's messages to one command."""

    def __init__(self, command: "subprocess.Popen[bytes]", fence: Fence, output: list[int]) -> None:
        self._command = command
        self._fence = fence
        self._output = output
        self._lifeline = 0
        self.orphaned = False
        """True once the daemon is dead."""
        self._interrupt_sent = False
        self._kill_sent = False
        self._unread = b""
        self._wakeup, wakeup_end = os.pipe()
        for end in (self._wakeup, wakeup_end):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wakeup_end, warn_on_full_buffer=False)

    def watch(self) -> int:
        """Wait for the command's end and return its exit code, having stopped it when the fence or the daemon demanded that."""
        try:
            while not _has_ended(self._command):
                self._enforce()
                self._sleep()
        finally:
            # Before the command is reaped: from then on its number, and its group's, may be another's.
            _kill_group(self._command.pid)
            code = self._command.wait()
            _end_stragglers()
        return code if code >= 0 else SIGNALED - code

    def _enforce(self) -> None:
        at = now()
        if self._fence.wants_interrupt(at) and not self._interrupt_sent:
            self._interrupt_sent = True
            _interrupt(self._command.pid)
        if self._fence.wants_kill(at) and not self._kill_sent:
            self._kill_sent = True
            _kill_group(self._command.pid)

    def _sleep(self) -> None:
        # A dead daemon reads no output any more: the guard takes its place, so that the command can end in order
        # (save its state, release its lock) instead of dying of a broken or full pipe.
        watched = [self._wakeup, *(self._output if self.orphaned else [self._lifeline])]
        timeout = None if self._kill_sent else math.ceil(1000 * self._fence.sleep(now()))
        # Not select, which takes no descriptor above 1023: the output's have the numbers that they have in the daemon.
        poller = select.poll()
        for source in watched:
            poller.register(source, select.POLLIN)
        for source, _ in poller.poll(timeout):
            with contextlib.suppress(BlockingIOError):
                data = os.read(source, _CHUNK)
                if source == self._lifeline:
                    self._receive(data)
                elif source in self._output and not data:
                    self._output.remove(source)

    def _receive(self, data: bytes) -> None:
        if not data:
            self.orphaned = True
            self._fence.orphan(now())
            return
        *lines, self._unread = (self._unread + data).split(b"\n")
        for line in lines:
            # A message that cannot be parsed renews nothing: then the fence decides.
            with contextlib.suppress(ValueError):
                self._handle(line.decode().split())

    def _handle(self, words: list[str]) -> None:
        match words:
            case ["contact", contact, lost]:
                self._fence.renew(float(contact), float(lost))
            case ["interrupt"]:
                self._fence.interrupt()
            case ["kill"]:
                self._fence.kill()
            case _:
                pass


def _has_ended(command: "subprocess.Popen[bytes]") -> bool:
    """Return whether the command has ended, without reaping it where the system allows that."""
    if sys.platform != "linux":
        return command.poll() is not None
    return os.waitid(os.P_PID, command.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def may_kill(pid: int) -> bool:
    """Return whether the process, or the group that it leads, is the guard's to kill.

    A bound of its own, so that no mistake in how the guard finds processes can reach anybody else's: the kernel confirms
    that the process is an unreaped child of the guard. Its number cannot pass to another process before it is reaped, and
    a group of that number can only be one that the child made.
    """
    if pid <= 1 or pid in {os.getpid(), os.getppid(), os.getpgrp()}:
        return False
    if sys.platform != "linux":
        return True  # only the command's own group is ever killed there
    try:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _interrupt(pid: int) -> None:
    # Not by Popen, which reaps a command that has just ended.
    with contextlib.suppress(ProcessLookupError):
        if may_kill(pid):
            os.kill(pid, signal.SIGINT)


def _kill_group(group: int) -> None:
    # macOS answers EPERM for a group of zombies only.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if may_kill(group):
            os.killpg(group, signal.SIGKILL)


def adopt_orphans() -> None:
    """Become the parent of the processes that descendants leave behind, also of those that left their group (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def adopts_orphans() -> bool:
    """Return whether this process becomes the parent of what its descendants leave behind."""
    if sys.platform != "linux":
        return False
    adopts = ctypes.c_int(0)
    ctypes.CDLL(None).prctl(_PR_GET_CHILD_SUBREAPER, ctypes.byref(adopts), 0, 0, 0)
    return bool(adopts.value) or os.getpid() == 1


def die_with_parent() -> Callable[[], None] | None:
    """Return a function for a new child to call before it executes its program: it is killed when this process dies.

    None where the system has no such signal: there, what a killed guard leaves runs on.
    """
    if sys.platform != "linux":
        return None
    # Loaded before the fork, after which little is safe to do.
    library, parent = ctypes.CDLL(None), os.getpid()

    def prepare() -> None:
        library.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it died before that
            os.kill(os.getpid(), signal.SIGKILL)

    return prepare


def children() -> list[int]:
    """Return the pids of this process's children, ended ones that were not reaped included (Linux only)."""
    found = []
    for pid in filter(str.isdecimal, os.listdir("/proc")):  # noqa: PTH208 - as above
        with contextlib.suppress(OSError), open(f"/proc/{pid}/stat", encoding="utf-8") as stat:  # noqa: PTH123
            # The name, in parentheses, may hold anything: the fields after the last parenthesis are state and parent.
            if int(stat.read().rpartition(")")[2].split()[1]) == os.getpid():
                found.append(int(pid))
    return found


def _end_stragglers() -> None:
    """Kill the processes that left the command's group, and wait until they are gone."""
    while True:
        try:
            reaped, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if reaped == 0:
            # Children only: what they leave behind becomes the guard's child in turn, and is killed in the next round.
            for child in filter(may_kill, children()):
                os.kill(child, signal.SIGKILL)
            time.sleep(_REAP_PAUSE)


def _leave_output() -> None:
    """Close the output's writing ends: the pipes then end with the command, and the guard can never block on them."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)


def main(arguments: list[str]) -> int:
    """Start the command and watch it to its end."""
    contact, lost, grace, out, err, workdir, *command = arguments
    # Handlers that do nothing rather than SIG_IGN, which the command would inherit.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    adopt_orphans()
    fence = Fence(float(contact), float(lost), float(grace))
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=die_with_parent(),  # noqa: PLW1509 - the guard has one thread
        )
    except OSError as error:
        sys.stderr.write(f"cannot start {command[0]}: {error.strerror}\n")
        return CANNOT_EXECUTE
    _leave_output()
    guard = Guard(process, fence, [int(out), int(err)])
    code = guard.watch()
    if guard.orphaned and workdir:
        _remove(workdir)
    return code


def _remove(workdir: str) -> None:
    import shutil  # noqa: PLC0415 - its import takes as long as the rest of a start, and few guards need it

    open_folders(workdir)
    if not unsaved_states(workdir):
        shutil.rmtree(workdir, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

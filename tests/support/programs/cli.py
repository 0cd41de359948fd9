"""The command line as its users run it: a process per call, or a process in a terminal whose screen is read."""

import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import pyte
from typing_extensions import override

from support.manifests import REPOSITORY
from support.programs.fork_server import ForkedProcess
from support.programs.session_folder import session_folder

CALL_TIMEOUT = 300
"""Seconds. A call takes half a second, and many times that on a machine that is busy with a build."""
SHOWN_WITHIN = 60.0
_POLL = 0.05
_INTERRUPTIBLE = (
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
)
"""Restores Ctrl-C, which tests in a background shell inherit as ignored, then becomes the program."""
_IN_TERMINAL = f"import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); {_INTERRUPTIBLE}"
"""Also makes its standard input the terminal that Ctrl-C comes from."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of one call."""

    arguments: tuple[str, ...]
    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """The lines of standard output."""
        return self.out.splitlines()

    @property
    def document(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)

    @override
    def __str__(self) -> str:
        return f"provisioner {' '.join(self.arguments)}: exit code {self.code}\n{self.out}{self.err}"


@dataclass(frozen=True, slots=True)
class Cli:
    """The command line as one user in one namespace."""

    kubeconfig: Path
    namespace: str | None = None
    environment: Mapping[str, str] | None = None

    def within(self, namespace: str) -> Self:
        """Return the same user in another namespace."""
        return replace(self, namespace=namespace)

    def attempt(self, *arguments: str, given: str = "") -> Answer:
        """Run a command, also if it fails."""
        with tempfile.TemporaryDirectory() as name:
            out, errors, typed = (Path(name) / each for each in ("out", "errors", "typed"))
            typed.write_text(given, encoding="utf-8")
            process = ForkedProcess(
                "provisioner_operator.cli",
                self._arguments(arguments),
                self._environment(),
                out,
                errors=errors,
                given=typed,
            )
            code = process.wait(CALL_TIMEOUT)
            answer = Answer(arguments, code, out.read_text(encoding="utf-8"), errors.read_text(encoding="utf-8"))
        assert "Traceback" not in answer.err, answer.err
        return answer

    def run(self, *arguments: str) -> Answer:
        """Run a command; its failure fails the test."""
        answer = self.attempt(*arguments)
        assert answer.code == 0, str(answer)
        return answer

    def completions(self, *words: str) -> list[str]:
        """Return the completions that kubectl gets for the last of these words."""
        program = "from provisioner_operator.cli.__main__ import complete; complete()"
        done = subprocess.run(
            [sys.executable, "-c", program, *words],
            check=True,
            capture_output=True,
            text=True,
            env=self._environment(),
            timeout=CALL_TIMEOUT,
        )
        *offered, directive = done.stdout.splitlines()
        assert directive == ":4", done.stdout
        return [line.partition("\t")[0] for line in offered]

    @contextmanager
    def started(self, *arguments: str) -> Iterator["Running"]:
        """Run a command in the background, without a terminal."""
        process = subprocess.Popen(
            [sys.executable, "-c", _INTERRUPTIBLE, *self._command(arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self._environment(),
        )
        running = Running(process)
        try:
            yield running
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            running.close()

    @contextmanager
    def in_terminal(self, *arguments: str, columns: int = 100, rows: int = 30) -> Iterator["Terminal"]:
        """Run a command in a terminal of this size."""
        terminal = Terminal(self._command(arguments), self._environment() | {"TERM": "xterm-256color"}, columns, rows)
        try:
            yield terminal
        finally:
            terminal.end()

    def _command(self, arguments: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "provisioner_operator.cli", *self._arguments(arguments)]

    def _arguments(self, arguments: tuple[str, ...]) -> list[str]:
        namespace = () if self.namespace is None or "-A" in arguments or "-n" in arguments else ("-n", self.namespace)
        takes_cluster = arguments[:1] not in {("completion",), ("help",)} and "--help" not in arguments
        return [*arguments, *(namespace if takes_cluster else ())]

    def _environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        own = {"KUBECONFIG": str(self.kubeconfig), "PYTHONPATH": str(REPOSITORY / "operator"), "PYTHONUTF8": "1"}
        return kept | own | {"TMPDIR": str(session_folder())} | dict(self.environment or {})


class Running:
    """A process whose output is read as it arrives."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.out: list[str] = []
        self.err: list[str] = []
        self._readers = [
            threading.Thread(target=_collect, args=(stream, lines), daemon=True)
            for stream, lines in ((process.stdout, self.out), (process.stderr, self.err))
        ]
        for reader in self._readers:
            reader.start()

    def await_line(self, text: str, *, within: float = SHOWN_WITHIN) -> str:
        """Wait for a line of either output that contains this text, and return it."""
        found: list[str] = []

        def is_there() -> bool:
            found[:] = [line for line in (*self.out, *self.err) if text in line]
            return bool(found)

        _await(is_there, lambda: f"{text!r} not in:\n{self}", within)
        return found[0]

    def exit_code(self, *, within: float = SHOWN_WITHIN) -> int:
        """Wait until the process ends, and return its exit code."""
        code = self._process.wait(within)
        for reader in self._readers:
            reader.join(within)
        return code

    def interrupt(self) -> None:
        """Ctrl-C."""
        self._process.send_signal(signal.SIGINT)

    def close(self) -> None:
        """Close the pipes of the ended process."""
        for reader in self._readers:
            reader.join(SHOWN_WITHIN)
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()

    @override
    def __str__(self) -> str:
        return "".join([*self.out, *self.err])


class Terminal:
    """A terminal that runs a program."""

    def __init__(self, command: list[str], environment: dict[str, str], columns: int, rows: int) -> None:
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._lock = threading.Lock()
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._process = subprocess.Popen(
            [sys.executable, "-c", _IN_TERMINAL, *command],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment,
            start_new_session=True,
        )
        os.close(slave)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def screen(self) -> str:
        """The visible text, without trailing blanks."""
        with self._lock:
            return "\n".join(line.rstrip() for line in self._screen.display)

    def styles(self, text: str) -> set[str]:
        """The colors of this text on the screen."""
        with self._lock:
            for at, line in enumerate(self._screen.display):
                if (begin := line.find(text)) >= 0:
                    return {self._screen.buffer[at][column].fg for column in range(begin, begin + len(text))}
        return set()

    def press(self, keys: str) -> None:
        """Type keys."""
        os.write(self._master, keys.encode())

    def await_text(self, *texts: str, within: float = SHOWN_WITHIN) -> str:
        """Wait until all of these texts are on the screen at once; returns that screen."""
        seen = ""

        def are_there() -> bool:
            nonlocal seen
            seen = self.screen
            return all(text in seen for text in texts)

        _await(are_there, lambda: f"{texts} not in:\n{seen}", within)
        return seen

    def await_that(self, true: Callable[[], bool], what: str, *, within: float = SHOWN_WITHIN) -> None:
        """Wait for a condition of the screen, which may be read in the middle of a redraw."""
        _await(true, lambda: f"{what} is not so:\n{self.screen}", within)

    def await_gone(self, text: str, *, within: float = SHOWN_WITHIN) -> str:
        """Wait until this text is off the screen; returns the screen."""
        _await(lambda: text not in self.screen, lambda: f"{text!r} still in:\n{self.screen}", within)
        return self.screen

    def exit_code(self, *, within: float = SHOWN_WITHIN) -> int:
        """Wait until the program ends, and return its exit code."""
        code = self._process.wait(within)
        self._reader.join(within)
        return code

    def end(self) -> None:
        """Kill the program if it still runs."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._reader.join(SHOWN_WITHIN)
        os.close(self._master)

    def _read(self) -> None:
        with suppress(OSError):  # of a terminal whose program has ended
            while data := os.read(self._master, 65_536):
                with self._lock:
                    self._stream.feed(data)


def _collect(stream: Any, lines: list[str]) -> None:
    with suppress(ValueError):
        lines.extend(iter(stream.readline, ""))


def _await(true: Callable[[], bool], what: Callable[[], str], within: float) -> None:
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline, what()
        time.sleep(_POLL)

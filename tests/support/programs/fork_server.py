"""Start the product's programs by forking a process that has imported them.

Its imports take a program more than a second of CPU, and a test run starts hundreds of programs. A forked one has a process,
a session, arguments, environment and log of its own; it only finds its modules imported. Tests of the commands themselves
start them as users do.
"""

import atexit
import functools
import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

LATER = ("provisioner_operator.web", "provisioner_operator.cli")
"""Programs that import most of their modules only when they run."""
NOT_FORKED = "provisioner_operator.cli.top."
"""Its tests give it a terminal, and start it as users do."""
_POLL_SECONDS = 0.01


class ForkedProcess:
    """A program's process, with the methods of `subprocess.Popen`."""

    def __init__(
        self,
        module: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        log: Path,
        folder: Path | None = None,
        errors: Path | None = None,
        given: Path = Path(os.devnull),
    ) -> None:
        """Start the module's program with exactly this environment; it appends its output, and its errors, to the log.

        Args:
            errors: Another file for its standard error.
            given: Its standard input.
        """
        self._server = _server()
        self.pid = int(
            self._server.ask(
                start=module,
                arguments=list(arguments),
                environment=dict(environment),
                log=str(log),
                errors=str(errors or log),
                given=str(given),
                folder=str(folder or Path.cwd()),
            )
        )
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return the exit code, or minus the number of the signal that ended it; None while it runs."""
        if self.returncode is None:
            self.returncode = self._server.ask(poll=self.pid)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end and return what `poll` does. Raises subprocess.TimeoutExpired."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if deadline is not None and time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
            time.sleep(_POLL_SECONDS)
        return code

    def send_signal(self, number: int) -> None:
        """Send the signal unless the process has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)


class _Server:
    """The process that is forked; it ends with the connection to it."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        path = os.pathsep.join(path for path in sys.path if path)
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(theirs.fileno())],
            env={**os.environ, "PYTHONPATH": path},
            pass_fds=[theirs.fileno()],
        )
        theirs.close()
        self._stream = ours.makefile("rw")
        ours.close()
        self._turn = threading.Lock()

    def ask(self, **request: Any) -> Any:
        with self._turn:
            self._stream.write(json.dumps(request) + "\n")
            self._stream.flush()
            return json.loads(self._stream.readline())

    def close(self) -> None:
        self._stream.close()
        self._process.wait()


@functools.cache
def _server() -> _Server:
    server = _Server()
    atexit.register(server.close)
    return server


def _serve(connection: socket.socket) -> None:
    """Answer requests until the connection ends, then kill what still runs."""
    running: set[int] = set()
    stream = connection.makefile("rw")
    for line in stream:
        request = json.loads(line)
        if "start" in request:
            _import(request["start"])
            answer: int | None = os.fork()
            if answer == 0:
                stream.close()
                connection.close()
                _become(request)
            running.add(answer or 0)
        else:
            ended, status = os.waitpid(request["poll"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if ended else None
            running.discard(ended)
        stream.write(json.dumps(answer) + "\n")
        stream.flush()
    for pid in running:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@functools.cache
def _import(program: str) -> None:
    """Import all that the program imports, when its first process is asked for: few runs of tests need every program."""
    importlib.import_module(f"{program}.__main__")
    if program in LATER:
        package = importlib.import_module(program)
        for module in pkgutil.walk_packages(package.__path__, f"{program}."):
            if not module.name.startswith(NOT_FORKED):
                importlib.import_module(module.name)
    gc.freeze()


def _become(request: Mapping[str, Any]) -> None:
    """Run the program in this process, as `python -m` does, and exit with its code."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(request["folder"])
    appended = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    for target, (path, mode) in enumerate(
        ((request["given"], os.O_RDONLY), (request["log"], appended), (request["errors"], appended))
    ):
        os.dup2(os.open(path, mode), target)
    os.environ.clear()
    os.environ.update(request["environment"])
    # Or `runpy` would warn that it is imported already.
    del sys.modules[f"{request['start']}.__main__"]
    sys.argv = [request["start"], *request["arguments"]]
    code = 0
    try:
        runpy.run_module(request["start"], run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        if isinstance(end.code, str):
            sys.stderr.write(end.code + "\n")
    except BaseException:  # noqa: BLE001 - as the interpreter does
        sys.excepthook(*sys.exc_info())
        code = 1
    atexit._run_exitfuncs()  # noqa: SLF001 - what the interpreter does at an exit
    with suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def _main(descriptor: str) -> None:
    # Those who run the tests interrupt them by Ctrl+C, which also reaches this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    _serve(socket.socket(fileno=int(descriptor)))


if __name__ == "__main__":
    _main(sys.argv[1])

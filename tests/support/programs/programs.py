"""The product's programs as real processes, which tests start, kill, freeze and stop, and whose logs they read.

Each program is killed when its `with` block ends, however the test ended. `report_sections` returns the last lines of each
log for the report of a failed test.
"""

import json
import os
import signal
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from support.manifests import REPOSITORY
from support.programs.fork_server import ForkedProcess
from support.programs.session_folder import session_folder

if TYPE_CHECKING:
    import subprocess

READY_WITHIN = 60.0
"""Timeout in seconds for a program's start, which takes one or two on a quiet machine."""
TAIL = 60
"""Number of log lines of each program in the report of a failed test."""
_POLL = 0.02
"""Seconds between two looks at a log or at a process."""
_ASK = 0.1
"""Seconds between two requests, each of which costs the program some milliseconds: for a metric, it renders all."""

Start: TypeAlias = Callable[
    [str, Sequence[str], Mapping[str, str], Path],
    "ForkedProcess | subprocess.Popen[bytes]",
]
"""Start a module's program with arguments and exactly this environment; its output is appended to the log."""

_started: list["Program"] = []


class Program:
    """One process and its log."""

    def __init__(
        self,
        name: str,
        module: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        start: Start = ForkedProcess,
    ) -> None:
        self.name = name
        descriptor, path = tempfile.mkstemp(prefix=f"{name}-", suffix=".log", dir=session_folder())
        os.close(descriptor)
        self.log = Path(path)
        self._process = start(module, arguments, _bare_environment() | dict(environment), self.log)
        _started.append(self)

    @property
    def pid(self) -> int:
        """Process ID."""
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Return whether the process runs."""
        return self._process.poll() is None

    def kill(self) -> None:
        """Kill the process with SIGKILL."""
        self._process.kill()
        self._process.wait()

    def terminate(self) -> None:
        """Send SIGTERM without waiting for the exit."""
        self._process.terminate()

    def freeze(self) -> None:
        """Stop the process with SIGSTOP, so that it is alive but does nothing."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        self._process.send_signal(signal.SIGCONT)

    def exit_code(self, *, within: float = READY_WITHIN) -> int:
        """Wait for the exit of the process, and return its exit code."""
        return self._process.wait(within)

    @property
    def lines(self) -> list[str]:
        """Return the lines of its output."""
        return self.log.read_text(encoding="utf-8", errors="replace").splitlines()

    def records(self) -> Iterator[dict[str, Any]]:
        """Return the log records, which are the lines that are JSON objects."""
        for line in self.lines:
            if line.startswith("{"):
                try:
                    yield json.loads(line)
                except ValueError:
                    continue  # a line that is not complete yet

    def await_record(self, *, key: str, within: float = READY_WITHIN) -> Any:
        """Wait for a log line with this field and return the field's value."""
        deadline = time.monotonic() + within
        while True:
            ended = not self.runs
            for record in self.records():
                if key in record:
                    return record[key]
            if ended or time.monotonic() > deadline:
                raise AssertionError(f"{self.name} never logged {key!r}:\n{self.tail()}")
            time.sleep(_POLL)

    def tail(self) -> str:
        """Return the last lines of its log."""
        return "\n".join(self.lines[-TAIL:])

    def end(self) -> None:
        """Kill the process if it still runs."""
        if self.runs:
            self.thaw()
            self.kill()

    def remove_log(self) -> None:
        """Remove the log of a program that has ended."""
        self.log.unlink(missing_ok=True)


class OperatorProgram(Program):
    """A controller."""

    @property
    def endpoint(self) -> str:
        """Return the URL of its endpoints, once it serves."""
        return f"http://127.0.0.1:{self.await_record(key='port')}"

    def fetch(self, path: str) -> tuple[int, str]:
        """Return the status and the body of an endpoint."""
        try:
            with urllib.request.urlopen(self.endpoint + path, timeout=READY_WITHIN) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def metrics(self, prefix: str) -> dict[str, float]:
        """Return the values of its metrics with this prefix, by name and labels."""
        lines = [line for line in self.fetch("/metrics")[1].splitlines() if line.startswith(prefix)]
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}

    @property
    def leads(self) -> bool:
        """Return whether it reports that it leads."""
        return self.metrics("provisioner_leader") == {"provisioner_leader": 1.0}

    @property
    def writes(self) -> dict[str, float]:
        """Return the number of its write requests by kind and result."""
        return self.metrics("provisioner_api_writes_total")

    def await_leads(self, *, leads: bool = True, within: float = READY_WITHIN) -> None:
        """Wait until it reports that it leads, or that it does not."""
        self.await_that(lambda: self.leads is leads, "leads" if leads else "stands by", within=within)

    def await_status(self, path: str, status: int, *, within: float = READY_WITHIN) -> None:
        """Wait until an endpoint returns this status."""
        self.await_that(lambda: self.fetch(path)[0] == status, f"answers {path} with {status}", within=within)

    def await_that(self, true: Callable[[], bool], what: str, *, within: float = READY_WITHIN) -> None:
        """Wait until a condition holds."""
        deadline = time.monotonic() + within
        while not true():
            assert time.monotonic() < deadline, f"{self.name} ({self.pid}) never {what}:\n{self.tail()}"
            time.sleep(_ASK)


@contextmanager
def an_operator(
    kubeconfig: Path,
    *namespaces: str,
    wait: bool = True,
    lease_namespace: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[OperatorProgram]:
    """Run a controller of these namespaces; by default wait until it has listed all objects.

    With a `lease_namespace` it takes part in leader election; otherwise it leads without one.
    """
    arguments = ["run", f"--kubeconfig={kubeconfig}", "--http-host=127.0.0.1", "--http-port=0", "--log-format=json"]
    if lease_namespace is not None:
        arguments.append(f"--lease-namespace={lease_namespace}")
    module = "provisioner_operator.controller"
    arguments += [f"--namespace={each}" for each in namespaces]
    program = OperatorProgram("operator", module, arguments, environment or {})
    try:
        if wait:
            program.await_record(key="port")
        yield program
    finally:
        program.end()


@contextmanager
def plain_kopf(kubeconfig: Path, namespace: str) -> Iterator[OperatorProgram]:
    """Run a controller of the namespace by `kopf run`, and wait until it has listed all objects."""
    settings = {"KUBECONFIG": str(kubeconfig), "NAMESPACES": namespace, "HTTP_HOST": "127.0.0.1", "HTTP_PORT": "0"}
    application = ("-m", "provisioner_operator.controller.kopf_app")
    program = OperatorProgram(
        "kopf",
        "kopf",
        ["run", *application, "--standalone", f"--namespace={namespace}", "--log-format=json"],
        {f"PROVISIONER_OPERATOR_{name}": value for name, value in settings.items()},
    )
    try:
        program.await_record(key="port")
        yield program
    finally:
        program.end()


@contextmanager
def a_daemon_process(
    kubeconfig: Path,
    namespace: str,
    name: str = "daemon",
    *,
    ledger: Path,
    tags: Mapping[str, str] | None = None,
    provisioners: Sequence[str] = ("echo",),
    capacity: int = 1,
    lost_after: int = 60,
    grace: int = 60,
    terraform: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Program]:
    """Run a daemon, whose first heartbeat may take a second."""
    arguments = [
        *("run", f"--kubeconfig={kubeconfig}", f"--namespace={namespace}", f"--name={name}", f"--capacity={capacity}"),
        *(f"--lost-after-seconds={lost_after}", f"--cancel-grace-seconds={grace}"),
        *(f"--provisioner={each}" for each in provisioners),
        *(f"--tag={key}={value}" for key, value in (tags or {}).items()),
    ]
    if terraform is not None:
        arguments.append(f"--terraform={terraform}")
    variables = {"PROVISIONER_ECHO_LEDGER": str(ledger), **(environment or {})}
    program = Program(name, "provisioner_operator.daemon", arguments, variables)
    try:
        yield program
    finally:
        program.end()


@contextmanager
def a_daemon_process_in_pod(kubeconfig: Path, pod: Mapping[str, Any], *, ledger: Path) -> Iterator[Program]:
    """Run a daemon with its Pod's identity in environment variables, as set by the downward API."""
    meta = pod["metadata"]
    environment = {
        "POD_NAMESPACE": meta["namespace"],
        "POD_NAME": meta["name"],
        "POD_UID": meta["uid"],
        "PROVISIONER_ECHO_LEDGER": str(ledger),
    }
    program = Program(meta["name"], "provisioner_operator.daemon", ["run", f"--kubeconfig={kubeconfig}"], environment)
    try:
        yield program
    finally:
        program.end()


def report_sections() -> list[tuple[str, str]]:
    """Return titles and last lines of the logs of all programs of the current test."""
    return [(f"log of {program.name} ({program.pid})", program.tail()) for program in _started]


def forget_ended() -> None:
    """Remove the logs of ended programs before the next test."""
    for program in [each for each in _started if not each.runs]:
        program.remove_log()
        _started.remove(program)


def _bare_environment() -> dict[str, str]:
    """Return the environment without the caller's settings for clusters and the product."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    sources = os.pathsep.join(str(REPOSITORY / source) for source in ("operator", "devcluster"))
    return kept | {"PYTHONPATH": sources, "PYTHONUNBUFFERED": "1", "TMPDIR": str(session_folder())}

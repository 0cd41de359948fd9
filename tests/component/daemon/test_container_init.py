"""The first process of a container, in a PID namespace of its own: it outlives the daemon until its guards have ended."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from component.daemon.processes import PATIENCE, wait_until
from support.pid_namespace import in_pid_namespace, unshare

SOURCES = Path(__file__).parents[3] / "operator"

DAEMON = """
import asyncio, os, pathlib, signal, sys
from provisioner_operator.daemon.container_init import become_init_if_first

become_init_if_first()

from provisioner_operator.daemon.execution.command import Command
from provisioner_operator.daemon.execution.contact import Contact
from provisioner_operator.daemon.execution.guard import now

SAVING = (
    "import signal, sys, time, pathlib\\n"
    "def save(*_): time.sleep(1); pathlib.Path('../saved').touch(); sys.exit(0)\\n"
    "signal.signal(signal.SIGINT, save)\\n"
    "pathlib.Path('../command').touch()\\n"
    "while True: time.sleep(60)"
)
LOST = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(3600)'], start_new_session=True)"

async def on_lines(*_): ...

async def main():
    assert os.getpid() != 1
    os.mkdir("run")
    await Command.start(
        [sys.executable, "-I", "-S", "-c", SAVING], directory=pathlib.Path.cwd() / "run", environment=dict(os.environ),
        contact=Contact(now(), 3600.0), grace=3600.0, on_lines=on_lines)
    while not os.path.exists("command"):
        await asyncio.sleep(0.01)
    # An orphan of the daemon's own, which nobody waits for.
    (await asyncio.create_subprocess_exec(sys.executable, "-c", LOST))
    {end}

asyncio.run(main())
"""


def run_first(directory: Path, end: str) -> "subprocess.CompletedProcess[str]":
    """Run the stand-in for a daemon as the first process of a namespace, to its end."""
    (directory / "daemon.py").write_text(DAEMON.replace("{end}", end))
    return in_pid_namespace(
        ["sh", "-c", f"cd {directory} && PYTHONPATH={SOURCES} exec {sys.executable} daemon.py"], seconds=PATIENCE
    )


@pytest.mark.parametrize(
    ("end", "code"),
    [("os.kill(os.getpid(), signal.SIGKILL)", 137), ("os._exit(3)", 3)],
    ids=["killed", "crashed"],
)
def test_a_command_stops_in_order_after_the_daemon_ended(tmp_path: Path, end: str, code: int) -> None:
    answer = run_first(tmp_path, end)
    assert (answer.returncode, answer.stderr) == (code, "")
    assert (tmp_path / "saved").exists(), "the command had the time to save its state"
    assert not (tmp_path / "run").exists(), "its guard came to its end"
    assert f"The daemon ended with exit code {code}: waiting for 1 commands to stop" in answer.stdout


def test_a_daemon_that_is_no_first_process_has_no_init(tmp_path: Path) -> None:
    program = (
        "import os; from provisioner_operator.daemon.container_init import become_init_if_first; "
        "before = os.getpid(); become_init_if_first(); print(os.getpid() == before)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": str(SOURCES)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert answer.stdout.split() == ["True"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_the_first_process_reaches_the_real_daemon(tmp_path: Path, number: signal.Signals) -> None:
    assert in_pid_namespace(["true"]).returncode == 0  # or skip
    with socket.create_server(("127.0.0.1", 0)) as listener, (tmp_path / "log").open("wb") as log:
        listener.settimeout(PATIENCE)
        (tmp_path / "kubeconfig").write_text(KUBECONFIG.format(listener.getsockname()[1]))
        command = (
            *(sys.executable, "-c", "from provisioner_operator.daemon.entry_point import main; main()", "run"),
            *("--namespace", "acme", "--name", "d1"),
            *("--kubeconfig", str(tmp_path / "kubeconfig"), "--work-dir", str(tmp_path)),
        )
        outer = psutil.Popen(
            [*unshare(), *command], env=os.environ | {"PYTHONPATH": str(SOURCES)}, stdout=log, stderr=log
        )
        try:
            connection, _ = listener.accept()
            with connection:
                (first,) = outer.children()
                (daemon,) = first.children()
                assert daemon.memory_info().rss > 2 * first.memory_info().rss, "the first process stays small"
                first.send_signal(number)
                assert outer.wait(PATIENCE) == 0
                wait_until(lambda: not daemon.is_running(), "the end of the daemon")
        finally:
            with contextlib.suppress(psutil.NoSuchProcess):
                outer.kill()  # and with it its namespace
            outer.wait()
    assert "Traceback" not in (tmp_path / "log").read_text()


KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: it
contexts: [{{name: it, context: {{cluster: it, user: it}}}}]
clusters: [{{name: it, cluster: {{server: "http://127.0.0.1:{}"}}}}]
users: [{{name: it, user: {{}}}}]
"""

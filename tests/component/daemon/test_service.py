"""The start of a daemon's process, before there is an API server to talk to."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from component.daemon.processes import PATIENCE, wait_until
from provisioner_operator.daemon.predecessor_lock import acquire
from support.virtual_time import run_in_virtual_time

SOURCES = Path(__file__).parents[3] / "operator"


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)
        yield listener


def address(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def daemon(directory: Path, server: str) -> Iterator["subprocess.Popen[bytes]"]:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "it",
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        "clusters": [{"name": "it", "cluster": {"server": server}}],
        "users": [{"name": "it", "user": {}}],
    }
    (directory / "kubeconfig").write_text(yaml.safe_dump(config))
    command = (sys.executable, "-m", "provisioner_operator.daemon", "run", "--namespace", "acme", "--name", "d1")
    options = ("--kubeconfig", str(directory / "kubeconfig"), "--work-dir", str(directory))
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            (*command, *options), env=os.environ | {"PYTHONPATH": str(SOURCES)}, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_before_the_registration_ends_the_process_in_order(
    tmp_path: Path, listener: socket.socket, number: signal.Signals
) -> None:
    with daemon(tmp_path, address(listener)) as process:
        connection, _ = listener.accept()
        with connection:
            process.send_signal(number)
            assert process.wait(PATIENCE) == 0
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_a_daemon_whose_predecessor_lives_does_not_talk_to_the_api_server(
    tmp_path: Path, listener: socket.socket
) -> None:
    lock = run_in_virtual_time(acquire(tmp_path, address(listener), "acme", "d1"))
    with daemon(tmp_path, address(listener)):
        wait_until(lambda: "Waiting until the former process" in (tmp_path / "log").read_text(), "the daemon to wait")
        listener.setblocking(False)  # noqa: FBT003 - the socket's own word
        with pytest.raises(BlockingIOError):
            listener.accept()
        listener.settimeout(PATIENCE)
        os.close(lock)
        connection, _ = listener.accept()
        connection.close()


def test_a_cluster_that_is_not_named_is_asked_for(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("KUBE", "POD_"))}
    answer = subprocess.run(
        [
            *(sys.executable, "-m", "provisioner_operator.daemon", "run"),
            *("--namespace", "acme", "--work-dir", str(tmp_path)),
        ],
        env=environment | {"PYTHONPATH": str(SOURCES)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert answer.returncode == 1
    assert answer.stderr.startswith("Error: ")
    assert "Traceback" not in answer.stderr

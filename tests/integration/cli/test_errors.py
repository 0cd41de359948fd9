"""Messages and exit codes where nothing can be listed."""

import contextlib
import socket
import threading
from pathlib import Path

import pytest
import yaml

from integration.cli.conftest import People
from support.programs.cli import Cli

pytestmark = pytest.mark.usefixtures("filled")


def test_a_missing_permission_is_named_with_the_role_that_has_it(people: People) -> None:
    answer = people.nobody.attempt("jobs", "list")
    assert answer.code == 4
    assert answer.out == ""
    assert "User 'nobody' may not list provisionerjobs in namespace" in answer.err
    assert "ClusterRole provisioner-viewer" in answer.err


def test_what_does_not_exist_has_its_code(people: People) -> None:
    for command in (("jobs", "show"), ("jobs", "why"), ("jobs", "logs"), ("jobs", "cancel"), ("daemons", "show")):
        answer = people.root.attempt(*command, "nothing")
        assert (answer.code, "There is no " in answer.err) == (3, True), str(answer)


@pytest.mark.parametrize(
    "arguments",
    [
        ("jobs", "list", "-s", "waiting"),
        ("jobs", "list", "-o", "xml"),
        ("jobs", "list", "-c", "size"),
        ("jobs", "list", "--since", "soon"),
        ("jobs", "list", "--tag", "novalue"),
        ("jobs", "list", "-w", "-o", "json"),
        ("jobs", "cancel"),
        ("jobs", "wait", "x", "--for", "luck"),
        ("nonsense",),
        ("top",),
    ],
    ids=" ".join,
)
def test_a_wrong_command_line_has_its_code(arguments: tuple[str, ...], people: People) -> None:
    answer = people.viewer.attempt(*arguments)
    assert answer.code == 2, str(answer)
    assert answer.out == ""
    assert "Error: " in answer.err


def test_an_unreachable_server_is_reported_in_a_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    answer = Cli(_kubeconfig(tmp_path, f"https://127.0.0.1:{port}"), "acme").attempt("jobs", "list")
    assert answer.code == 1
    assert f"The API server at https://127.0.0.1:{port} cannot be reached: Connection refused." in answer.err


def test_a_connection_that_breaks_off_is_an_outage_and_no_rejected_certificate(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = f"https://127.0.0.1:{listener.getsockname()[1]}"
        threading.Thread(target=_read_and_close, args=(listener,), daemon=True).start()
        answer = Cli(_kubeconfig(tmp_path, server), "acme").attempt("jobs", "list")
    assert answer.code == 1
    assert f"The API server at {server} cannot be reached: the connection broke off." in answer.err


def test_a_server_that_does_not_answer_is_not_waited_for(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = f"http://127.0.0.1:{listener.getsockname()[1]}"
        answer = Cli(_kubeconfig(tmp_path, server), "acme").attempt("jobs", "list", "--request-timeout", "1")
    assert answer.code == 1
    assert f"The API server at {server} does not answer within 1 s" in answer.err


def _kubeconfig(folder: Path, server: str) -> Path:
    document = {
        "clusters": [{"name": "c", "cluster": {"server": server, "insecure-skip-tls-verify": True}}],
        "users": [],
        "contexts": [{"name": "c", "context": {"cluster": "c"}}],
        "current-context": "c",
    }
    file = folder / "config"
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    return file


def _read_and_close(listener: socket.socket) -> None:
    """Hang up on each client once it has said its first words."""
    with contextlib.suppress(OSError):
        while True:
            connection, _ = listener.accept()
            connection.recv(65_536)
            connection.close()

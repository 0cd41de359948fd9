"""The program of the stage `fetch` as a process, and how the daemon reads what it says."""

import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from provisioner_operator.api.v1alpha1.enums import EndReason
from provisioner_operator.daemon.git.request import REPOSITORY, Credentials, GitRequest, Limits
from provisioner_operator.daemon.git.stage import FetchReader, fetch_stage
from support.programs.git_repository import Repository
from support.programs.git_server import GitServer, basic_auth, dripping, hanging, serving

LOGIN = Credentials("git-login", "joe", "hunter2hunter2")
COMMIT = "0123456789" * 4


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    with serving(Repository(tmp_path / "served")) as server:
        yield server


@pytest.fixture
def leave() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def start(request: GitRequest, directory: Path, more: Mapping[str, str] | None = None) -> "subprocess.Popen[str]":
    stage = fetch_stage(request, directory)
    return subprocess.Popen(
        stage.arguments,
        cwd=directory,
        env={**(stage.environment or {}), **(more or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def end(process: "subprocess.Popen[str]", request: GitRequest) -> tuple[int, FetchReader, str]:
    with process:
        out, err = process.communicate(timeout=60)
    reader = FetchReader(request)
    for stream, text in (("stdout", out), ("stderr", err)):
        for line in text.splitlines():
            reader.read(stream, line)
    return process.returncode, reader, out + err


def said(code: int, reader: FetchReader) -> str:
    failure = reader.failure(code)
    assert failure is not None
    assert failure.reason is EndReason.SOURCE_UNAVAILABLE
    return failure.message


def test_the_program_leaves_the_files_and_names_the_commit(server: GitServer, tmp_path: Path) -> None:
    commit = server.repository.commit({"main.tf": ""})
    request = GitRequest(server.url)
    code, reader, _ = end(start(request, tmp_path), request)
    assert (code, reader.commit, reader.failure(code)) == (0, commit, None)
    assert (tmp_path / REPOSITORY / "main.tf").exists()


def test_why_it_failed_becomes_the_message(server: GitServer, tmp_path: Path) -> None:
    server.repository.commit({"main.tf": ""})
    request = GitRequest(server.url, "mian")
    code, reader, _ = end(start(request, tmp_path), request)
    assert said(code, reader).startswith("Ref mian was not found")


def test_a_password_is_neither_an_argument_nor_in_what_is_said(server: GitServer, tmp_path: Path) -> None:
    server.credentials = ("joe", "another")
    request = GitRequest(server.url, credentials=LOGIN)
    assert not any(LOGIN.password in argument for argument in fetch_stage(request, tmp_path).arguments)
    code, reader, output = end(start(request, tmp_path), request)
    assert "Secret git-login" in said(code, reader)
    assert LOGIN.password not in output
    assert server.requests[0][2] == basic_auth(LOGIN.username, LOGIN.password)


def test_a_fetch_ends_when_its_time_is_over_however_busy_the_server_seems(
    server: GitServer, tmp_path: Path, leave: threading.Event
) -> None:
    server.answers_refs = dripping(leave)
    request = GitRequest(server.url, limits=Limits(seconds=0.5))
    code, reader, _ = end(start(request, tmp_path), request)
    assert f"The fetch of HEAD of {server.url} timed out after 0.5 s" in said(code, reader)


def test_an_interrupt_ends_the_program_wherever_it_is(
    server: GitServer, tmp_path: Path, leave: threading.Event
) -> None:
    server.answers_refs = hanging(leave)
    request = GitRequest(server.url)
    process = start(request, tmp_path)
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    code, _, _ = end(process, request)
    assert code == 128 + signal.SIGINT


def test_what_grows_on_unpacking_is_stopped_by_the_memory_limit(server: GitServer, tmp_path: Path) -> None:
    server.repository.commit({"zeros": b"\0" * 150_000_000})
    request = GitRequest(server.url, limits=Limits(memory_bytes=250_000_000))
    code, reader, _ = end(start(request, tmp_path), request)
    assert "needs more than 250,000,000 bytes of memory" in said(code, reader)


def test_a_proxy_is_taken_from_the_environment_but_not_for_this_machine(server: GitServer, tmp_path: Path) -> None:
    nowhere = {"http_proxy": "http://127.0.0.1:1", "no_proxy": "other.test"}
    server.repository.commit({"main.tf": ""})
    request = GitRequest(server.url)
    assert end(start(request, tmp_path, nowhere), request)[0] == 0
    request = GitRequest("http://git.test/a.git")
    code, reader, _ = end(start(request, tmp_path, nowhere), request)
    assert "proxy" in said(code, reader).lower()


def test_the_daemons_own_variables_stay_with_the_daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.test:3128")
    environment = fetch_stage(GitRequest("https://git.test/a.git"), tmp_path).environment
    assert environment is not None
    assert environment["HTTPS_PROXY"] == os.environ["HTTPS_PROXY"]
    assert "AWS_SECRET_ACCESS_KEY" not in environment


@pytest.mark.parametrize(
    ("code", "how"), [(137, "was killed by signal 9"), (3, "exited with code 3"), (0, "exited with code 0")]
)
def test_an_end_without_a_message_is_reported_too(code: int, how: str) -> None:
    assert how in said(code, FetchReader(GitRequest("https://git.test/a.git")))


def test_a_file_cannot_name_the_commit() -> None:
    reader = FetchReader(GitRequest("https://git.test/a.git"))
    reader.read("stdout", f"commit: {COMMIT} is a submodule: it is left out")
    assert reader.commit is None
    reader.read("stdout", f"commit: {COMMIT}")
    assert reader.commit == COMMIT

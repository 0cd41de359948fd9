"""A fetch from a real git server on loopback: what is taken, what is left out, and what is said when it cannot be had."""

import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from provisioner_operator.daemon.git.fetch_program import fetch
from provisioner_operator.daemon.git.request import REPOSITORY, Credentials, FetchError, GitRequest, Limits
from support.programs.git_server import (
    Folder,
    GitServer,
    Link,
    Repository,
    Submodule,
    a_page,
    basic_auth,
    failing,
    flooding,
    hanging,
    pointing,
    redirecting,
    serving,
)

MAIN = {"main.tf": "# one"}
ABSENT = "0123456789" * 4
LOGIN = Credentials("git-login", "joe", "hunter2hunter2")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    with serving(Repository(tmp_path / "served")) as server:
        yield server


@pytest.fixture
def run(tmp_path: Path) -> Path:
    path = tmp_path / "run"
    path.mkdir()
    return path


@pytest.fixture
def leave() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def files(run: Path) -> dict[str, str]:
    """The files of the checkout, links as what they lead to."""
    root = run / REPOSITORY
    found = {}
    for folder, folders, names in os.walk(root):
        for path in (Path(folder, name) for name in (*names, *folders)):
            if path.is_symlink():
                found[str(path.relative_to(root))] = f"-> {path.readlink()}"
            elif path.is_file():
                found[str(path.relative_to(root))] = path.read_text()
    return found


def refused(request: GitRequest, run: Path) -> str:
    with pytest.raises(FetchError) as caught:
        fetch(request, run)
    return str(caught.value)


def test_the_default_branch_is_taken_if_nothing_is_said(server: GitServer, run: Path) -> None:
    commit = server.repository.commit({"main.tf": "# one", "modules": {"vm": {"main.tf": "# vm"}}})
    assert fetch(GitRequest(server.url), run) == commit
    assert files(run) == {"main.tf": "# one", "modules/vm/main.tf": "# vm"}
    assert [entry.name for entry in run.iterdir()] == [REPOSITORY]


@pytest.mark.parametrize("ref", ["feature/x", "refs/heads/feature/x", "v1", "refs/tags/v1"])
def test_a_ref_is_a_branch_or_a_tag(server: GitServer, run: Path, ref: str) -> None:
    server.repository.commit({"main.tf": "# main"})
    commit = server.repository.commit(MAIN, "feature/x")
    server.repository.tag("v1", commit)
    assert fetch(GitRequest(server.url, ref), run) == commit
    assert files(run) == MAIN


@pytest.mark.parametrize("by_id", [True, False])
@pytest.mark.parametrize("ref", ["HEAD", "main", "gone"])
def test_a_pinned_commit_is_taken_wherever_the_branch_is_now(
    server: GitServer, run: Path, ref: str, *, by_id: bool
) -> None:
    server.gives_by_id = by_id
    pinned = server.repository.commit(MAIN)
    server.repository.commit({"main.tf": "# two"})
    assert fetch(GitRequest(server.url, ref, pinned), run) == pinned
    assert files(run) == MAIN


@pytest.mark.parametrize("by_id", [True, False])
def test_a_ref_may_be_a_whole_commit_id(server: GitServer, run: Path, *, by_id: bool) -> None:
    server.gives_by_id = by_id
    server.repository.commit({"main.tf": "# main"})
    commit = server.repository.commit(MAIN, "other")
    server.repository.commit({"main.tf": "# two"}, "other")
    assert fetch(GitRequest(server.url, commit), run) == commit


@pytest.mark.parametrize("by_id", [True, False])
def test_a_commit_that_is_not_there_is_named(server: GitServer, run: Path, *, by_id: bool) -> None:
    server.gives_by_id = by_id
    server.repository.commit(MAIN)
    message = refused(GitRequest(server.url, commit=ABSENT), run)
    assert message.startswith(f"Commit {ABSENT} was not found in {server.url}")


def test_a_ref_that_is_not_there_is_named_beside_those_that_are(server: GitServer, run: Path) -> None:
    server.repository.commit(MAIN)
    message = refused(GitRequest(server.url, "mian"), run)
    assert message.startswith(f"Ref mian was not found in {server.url}")
    assert "Its branches: main." in message


def test_an_empty_repository_is_told_apart(server: GitServer, run: Path) -> None:
    assert "is empty" in refused(GitRequest(server.url), run)


def test_the_history_is_left_out(server: GitServer, run: Path) -> None:
    server.repository.commit({"large.bin": os.urandom(50_000)})
    server.repository.commit(MAIN)
    limits = Limits(received_bytes=10_000)
    fetch(GitRequest(server.url, limits=limits), run)
    assert files(run) == MAIN


def test_credentials_are_shown_to_a_server_that_asks(server: GitServer, run: Path) -> None:
    server.repository.commit(MAIN)
    server.credentials = (LOGIN.username, LOGIN.password)
    fetch(GitRequest(server.url, credentials=LOGIN), run)
    assert files(run) == MAIN


def test_refused_credentials_are_named_by_their_secret_and_not_shown(server: GitServer, run: Path) -> None:
    server.credentials = ("joe", "another")
    message = refused(GitRequest(server.url, credentials=LOGIN), run)
    assert message.startswith(
        f"Authentication failed: {server.url} refuses the credentials of Secret git-login (HTTP 401)"
    )
    assert LOGIN.password not in message


def test_a_server_that_asks_for_credentials_is_told_with_where_to_put_them(server: GitServer, run: Path) -> None:
    server.credentials = ("joe", "another")
    assert "asks for credentials. Name a Secret" in refused(GitRequest(server.url), run)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("404 Not Found", "was not found (HTTP 404). Check spec.source.git.url. A private one may be hidden"),
        ("403 Forbidden", "Authentication failed"),
        ("500 Internal Server Error", "answered HTTP 500"),
    ],
)
def test_a_refusal_is_told_in_words(server: GitServer, run: Path, status: str, said: str) -> None:
    server.answers_refs = failing(status)
    assert said in refused(GitRequest(server.url), run)


def test_a_page_for_people_is_no_repository(server: GitServer, run: Path) -> None:
    server.answers_refs = a_page
    assert "does not answer as a git server (it sent text/html)" in refused(GitRequest(server.url), run)


def test_a_server_that_breaks_off_is_told(server: GitServer, run: Path) -> None:
    server.repository.commit(MAIN)
    server.answers_objects = failing("500 Internal Server Error")
    assert "broke off the fetch of main" in refused(GitRequest(server.url, "main"), run)


def test_a_server_that_nobody_runs_cannot_be_reached(tmp_path: Path, run: Path) -> None:
    with serving(Repository(tmp_path / "served")) as server:
        url = server.url
    assert "cannot be reached" in refused(GitRequest(url), run)


def test_a_redirect_within_the_host_is_followed(server: GitServer, run: Path) -> None:
    server.repository.commit(MAIN)
    server.credentials = (LOGIN.username, LOGIN.password)
    plain = server.answers_refs = redirecting("{path}")

    def once(environ: dict[str, object], start_response: object) -> object:
        server.answers_refs = None
        return plain(environ, start_response)  # type: ignore[arg-type]

    server.answers_refs = once  # type: ignore[assignment]
    fetch(GitRequest(server.url, credentials=LOGIN), run)
    assert files(run) == MAIN


def test_a_redirect_to_another_port_does_not_get_the_credentials(server: GitServer, run: Path, tmp_path: Path) -> None:
    with serving(Repository(tmp_path / "other")) as other:
        other.repository.commit(MAIN)
        server.answers_refs = redirecting(other.address + "{path}")
        fetch(GitRequest(server.url, credentials=LOGIN), run)
        assert {login for _, _, login in server.requests} == {basic_auth("joe", LOGIN.password)}
        assert {login for _, _, login in other.requests} == {None}


@pytest.mark.parametrize(
    "location", ["http://localhost:1{path}", "file:///etc/passwd", "ftp://127.0.0.1/a", "http://joe:x@127.0.0.1/a", ""]
)
def test_a_redirect_elsewhere_is_refused(server: GitServer, run: Path, location: str) -> None:
    server.answers_refs = redirecting(location)
    assert "where a fetch does not follow" in refused(GitRequest(server.url), run)


def test_objects_are_not_taken_from_another_host(server: GitServer, run: Path) -> None:
    server.answers_refs = server.answers_objects = pointing("https://localhost:1/pack", ABSENT)
    assert "sends the fetch to https://localhost:1/pack, where it does not go" in refused(GitRequest(server.url), run)


def test_redirects_without_an_end_are_refused(server: GitServer, run: Path) -> None:
    server.answers_refs = redirecting("{path}")
    assert "redirects more than 5 times" in refused(GitRequest(server.url), run)


def test_a_server_that_says_nothing_is_given_up(server: GitServer, run: Path, leave: threading.Event) -> None:
    server.answers_refs = hanging(leave)
    message = refused(GitRequest(server.url, limits=Limits(silent_seconds=0.2)), run)
    assert "sent nothing for 0.2 s, so the fetch timed out" in message


def test_a_server_that_sends_too_much_is_cut_off(server: GitServer, run: Path) -> None:
    server.answers_refs = flooding
    message = refused(GitRequest(server.url, limits=Limits(received_bytes=100_000)), run)
    assert "is too large: more than 100,000 bytes were sent" in message


def test_what_was_sent_before_counts_when_the_history_is_asked_for(server: GitServer, run: Path) -> None:
    server.gives_by_id = False
    pinned = server.repository.commit({"large.bin": os.urandom(50_000)})
    server.repository.commit(MAIN)
    assert "is too large" in refused(GitRequest(server.url, commit=pinned, limits=Limits(received_bytes=50_000)), run)


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (Limits(files=2), "is too large: more than 2 files and folders"),
        (Limits(file_bytes=10), "is too large: more than 10 bytes"),
    ],
)
def test_a_large_checkout_is_refused(server: GitServer, run: Path, limits: Limits, said: str) -> None:
    server.repository.commit({"a.tf": "a" * 8, "b": {"b.tf": "b" * 8}})
    assert said in refused(GitRequest(server.url, limits=limits), run)


def test_a_tree_that_names_itself_many_times_over_is_refused(server: GitServer, run: Path) -> None:
    bomb: Folder = {"x.tf": ""}
    for _ in range(20):
        bomb = {"a": bomb, "b": bomb}
    server.repository.commit(bomb)
    assert "more than 10,000 files and folders" in refused(GitRequest(server.url), run)


def test_a_submodule_and_hooks_are_left_alone(server: GitServer, run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    submodules = '[submodule "lib"]\n\tpath = lib\n\turl = https://example.com/lib.git\n'
    hook = server.repository.path / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {run}/hooked\n")
    hook.chmod(0o755)
    server.repository.commit(MAIN | {".gitmodules": submodules, "lib": Submodule(), ".gitattributes": "* filter=x\n"})
    fetch(GitRequest(server.url), run)
    assert files(run) == MAIN | {".gitmodules": submodules, ".gitattributes": "* filter=x\n"}
    assert "lib is a submodule: it is left out" in capsys.readouterr().out
    assert {entry.name for entry in run.iterdir()} == {REPOSITORY}
    assert {path for _, path, _ in server.requests} == {"/repository.git/info/refs", "/repository.git/git-upload-pack"}


@pytest.mark.parametrize(
    "links",
    [
        {"x": Link("/etc/passwd")},
        {"x": Link("../run/secret")},
        {"d": {"x": Link("../../secret")}},
        # Each step stays inside by its letters, but not by where it leads.
        {"here": Link("."), "x": Link("here/here/../../secret")},
        {"up": Link(".."), "x": Link("up/secret")},
        {"x": Link("../repository-of-another/secret")},
    ],
)
def test_no_link_leads_out(server: GitServer, run: Path, links: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    server.repository.commit({**MAIN, **links})
    fetch(GitRequest(server.url), run)
    root = run / REPOSITORY
    assert all(path.resolve().is_relative_to(root) for path in root.rglob("*"))
    assert not any(path.is_symlink() and path.name in {"x", "up"} for path in root.rglob("*"))
    assert "x is a symbolic link that leads out of the repository: it is left out" in capsys.readouterr().out


def test_a_link_within_the_repository_is_kept(server: GitServer, run: Path) -> None:
    server.repository.commit(
        {"common": {"a.tf": "# a"}, "dev": {"a.tf": Link("../common/a.tf"), "all": Link("../common")}}
    )
    fetch(GitRequest(server.url, path="dev"), run)
    assert (
        (run / REPOSITORY / "dev" / "all" / "a.tf").read_text()
        == (run / REPOSITORY / "dev" / "a.tf").read_text()
        == "# a"
    )


@pytest.mark.parametrize("name", [".git", ".GIT", "git~1", "..", ".", ".g\u200cit", "a/b"])
def test_an_entry_that_git_forbids_is_refused(server: GitServer, run: Path, name: str) -> None:
    server.repository.commit({name: {"config": "[core]"}} if name != "a/b" else {name: "x"})
    assert "which git forbids" in refused(GitRequest(server.url), run)
    assert not (run / "config").exists()


def test_a_state_that_a_repository_holds_is_not_taken_for_one_that_was_not_saved(server: GitServer, run: Path) -> None:
    server.repository.commit(MAIN | {"errored.tfstate": "{}"})
    fetch(GitRequest(server.url), run)
    assert files(run) == MAIN


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("missing", "missing does not exist in main of"),
        ("main.tf", "main.tf is not a folder in main of"),
        ("../run", "does not lead down from the repository's root"),
        ("/etc", "does not lead down from the repository's root"),
        (".git", "does not lead down from the repository's root"),
    ],
)
def test_a_path_that_is_no_folder_is_named(server: GitServer, run: Path, path: str, said: str) -> None:
    server.repository.commit(MAIN)
    assert said in refused(GitRequest(server.url, "main", path=path), run)


@pytest.mark.parametrize(
    "url",
    [
        "file:///srv/repository.git",
        "/srv/repository.git",
        "ssh://git@example.com/a.git",
        "git@example.com:a.git",
        "https://joe:hunter2@example.com/a.git",
        "https:///a.git",
        "http://[",
    ],
)
def test_what_is_no_url_of_a_server_is_refused_and_not_shown(run: Path, url: str) -> None:
    message = refused(GitRequest(url), run)
    assert "is not a URL like https://" in message
    assert url not in message


def test_a_large_object_is_no_way_to_take_the_machines_memory(server: GitServer, run: Path) -> None:
    server.repository.commit({"zeros": b"\0" * 5_000_000})
    assert "is too large" in refused(GitRequest(server.url, limits=Limits(file_bytes=1_000_000)), run)


def test_a_request_survives_its_way_to_the_program() -> None:
    request = GitRequest("https://example.com/a.git", "v1", ABSENT, "dev", LOGIN, Limits(files=7))
    assert GitRequest.decode(request.encode()) == request
    assert GitRequest.decode(replace(request, credentials=None).encode()).credentials is None
    assert LOGIN.password not in repr(request)

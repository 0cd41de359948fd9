"""Fetches from a real git server on loopback: refs, commits and credentials."""

import os
from pathlib import Path

import pytest
from dulwich.objects import Commit, ObjectID, Tag
from dulwich.refs import Ref, check_ref_format
from dulwich.repo import Repo

from provisioner_operator.daemon.git.fetch_program import fetch
from provisioner_operator.daemon.git.request import REPOSITORY, GitRequest, Limits
from support.git_refs import ALLOWED, NO_BRANCHES, REFUSED
from support.programs.git_server import (
    GitServer,
)
from unit.daemon.git.fetching import ABSENT, LOGIN, MAIN, files, refused


def test_the_default_branch_is_fetched_without_a_ref(server: GitServer, run: Path) -> None:
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


@pytest.mark.parametrize(("length", "is_followed"), [(8, True), (9, False)])
def test_a_chain_of_tags_is_followed_so_far(server: GitServer, run: Path, length: int, *, is_followed: bool) -> None:
    commit = server.repository.commit(MAIN)
    kind: type[Commit | Tag] = Commit
    target = ObjectID(commit.encode())
    with Repo(str(server.repository.path)) as repo:
        for number in range(length):
            tag = Tag()
            tag.object, tag.name = (kind, target), f"tag-{number}".encode()
            tag.tagger, tag.tag_time, tag.tag_timezone, tag.message = b"A <a@b>", 0, 0, b"A release"
            repo.object_store.add_object(tag)
            kind, target = Tag, tag.id
        repo.refs[Ref(b"refs/tags/v1")] = target

    if is_followed:
        assert fetch(GitRequest(server.url, "v1"), run) == commit
    else:
        assert "is not a commit but a tag" in refused(GitRequest(server.url, "v1"), run)


@pytest.mark.parametrize("ref", ["vpc@1.2.3", "@scope/pkg@1.2.3", "feature/#12-x", "release_", "caf\u00e9"])
def test_any_name_that_git_allows_is_found(server: GitServer, run: Path, ref: str) -> None:
    commit = server.repository.commit(MAIN, ref)
    assert fetch(GitRequest(server.url, ref), run) == commit


def test_the_tests_names_are_judged_as_git_judges_them() -> None:
    assert all(check_ref_format(Ref(f"refs/heads/{ref}".encode())) for ref in (*ALLOWED, *NO_BRANCHES))
    assert not any(check_ref_format(Ref(f"refs/heads/{ref}".encode())) for ref in REFUSED)


@pytest.mark.parametrize("by_id", [True, False])
@pytest.mark.parametrize("ref", ["HEAD", "main", "gone"])
def test_a_pinned_commit_is_fetched_wherever_the_branch_is_now(
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
def test_a_missing_commit_is_named(server: GitServer, run: Path, *, by_id: bool) -> None:
    server.gives_by_id = by_id
    server.repository.commit(MAIN)
    message = refused(GitRequest(server.url, commit=ABSENT), run)
    assert message.startswith(f"Commit {ABSENT} was not found in {server.url}")


@pytest.mark.parametrize(("count", "end"), [(5, "b3, b4, main. "), (6, "b3, b4, b5, … ")])
def test_the_first_branches_are_named_where_a_ref_is_missing(
    server: GitServer, run: Path, count: int, end: str
) -> None:
    for branch in ("main", *(f"b{number}" for number in range(1, count))):
        server.repository.commit(MAIN, branch)
    message = refused(GitRequest(server.url, "gone"), run)
    assert f"Its branches: b1, b2, {end}" in message.replace("…. ", "… ")


def test_a_missing_ref_is_named_with_the_existing_branches(server: GitServer, run: Path) -> None:
    server.repository.commit(MAIN)
    message = refused(GitRequest(server.url, "mian"), run)
    assert message.startswith(f"Ref mian was not found in {server.url}")
    assert "Its branches: main." in message


def test_an_empty_repository_is_reported_as_such(server: GitServer, run: Path) -> None:
    assert "is empty" in refused(GitRequest(server.url), run)


def test_the_history_is_not_fetched(server: GitServer, run: Path) -> None:
    server.repository.commit({"large.bin": os.urandom(50_000)})
    server.repository.commit(MAIN)
    limits = Limits(received_bytes=10_000)
    fetch(GitRequest(server.url, limits=limits), run)
    assert files(run) == MAIN


def test_credentials_are_sent_to_a_server_that_requires_them(server: GitServer, run: Path) -> None:
    server.repository.commit(MAIN)
    server.credentials = (LOGIN.username, LOGIN.password)
    fetch(GitRequest(server.url, credentials=LOGIN), run)
    assert files(run) == MAIN


def test_rejected_credentials_are_named_by_their_secret_and_not_shown(server: GitServer, run: Path) -> None:
    server.credentials = ("joe", "another")
    message = refused(GitRequest(server.url, credentials=LOGIN), run)
    assert message.startswith(
        f"Authentication failed: {server.url} refuses the credentials of Secret git-login (HTTP 401)"
    )
    assert LOGIN.password not in message


def test_missing_credentials_are_reported_with_the_field_to_set(server: GitServer, run: Path) -> None:
    server.credentials = ("joe", "another")
    assert "asks for credentials. Name a Secret" in refused(GitRequest(server.url), run)

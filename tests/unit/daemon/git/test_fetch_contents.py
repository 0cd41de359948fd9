"""Contents of a fetched repository: limits, symbolic links, submodules, and paths."""

from pathlib import Path

import pytest

from provisioner_operator.daemon.git.fetch_program import fetch
from provisioner_operator.daemon.git.request import REPOSITORY, GitRequest, Limits
from support.programs.git_repository import Folder, Link, Submodule
from support.programs.git_server import (
    GitServer,
)
from unit.daemon.git.fetching import MAIN, files, refused


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (Limits(files=2), "is too large: more than 2 files and folders"),
        (Limits(file_bytes=15), "is too large: more than 15 bytes"),
    ],
)
def test_a_large_checkout_is_refused(server: GitServer, run: Path, limits: Limits, said: str) -> None:
    server.repository.commit({"a.tf": "a" * 8, "b": {"b.tf": "b" * 8}})
    assert said in refused(GitRequest(server.url, limits=limits), run)


def test_a_checkout_may_be_as_large_as_its_limits(server: GitServer, run: Path) -> None:
    server.repository.commit({"a.tf": "a" * 8, "b": {"b.tf": "b" * 8}})
    fetch(GitRequest(server.url, limits=Limits(files=3, file_bytes=16)), run)
    assert files(run) == {"a.tf": "a" * 8, "b/b.tf": "b" * 8}


def test_a_tree_that_multiplies_itself_is_refused(server: GitServer, run: Path) -> None:
    bomb: Folder = {"x.tf": ""}
    for _ in range(20):
        bomb = {"a": bomb, "b": bomb}
    server.repository.commit(bomb)
    assert "more than 10,000 files and folders" in refused(GitRequest(server.url), run)


def test_submodules_and_hooks_are_ignored(server: GitServer, run: Path, capsys: pytest.CaptureFixture[str]) -> None:
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
def test_no_symbolic_link_leads_out_of_the_repository(
    server: GitServer, run: Path, links: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
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


def test_a_committed_errored_state_is_not_mistaken_for_an_unsaved_one(server: GitServer, run: Path) -> None:
    server.repository.commit(MAIN | {"errored.tfstate": "{}"})
    fetch(GitRequest(server.url), run)
    assert files(run) == MAIN


def test_what_an_earlier_run_of_terraform_left_in_a_repository_is_left_out(
    server: GitServer, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new: Folder = {
        ".terraform.lock.hcl": "",
        "terraform.tfvars": "",
        "terraform.tfstate.backup": "{}",
        ".terraform": {"environment": "other"},
    }
    server.repository.commit(MAIN | {"terraform.tfstate": "{}", "new": new})
    fetch(GitRequest(server.url), run)
    assert files(run) == MAIN | {"new/.terraform.lock.hcl": "", "new/terraform.tfvars": ""}
    shown = capsys.readouterr().out
    for name in ("terraform.tfstate", "new/terraform.tfstate.backup", "new/.terraform"):
        assert f"{name} is left out: an earlier run of Terraform left it behind" in shown


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("missing", "missing does not exist in main of"),
        ("main.tf", "main.tf is not a folder in main of"),
        ("../run", "is not a path below the repository's root"),
        ("/etc", "is not a path below the repository's root"),
        (".git", "is not a path below the repository's root"),
    ],
)
def test_an_invalid_path_is_named(server: GitServer, run: Path, path: str, said: str) -> None:
    server.repository.commit(MAIN)
    assert said in refused(GitRequest(server.url, "main", path=path), run)


def test_a_large_object_does_not_exhaust_memory(server: GitServer, run: Path) -> None:
    server.repository.commit({"zeros": b"\0" * 5_000_000})
    assert "is too large" in refused(GitRequest(server.url, limits=Limits(file_bytes=1_000_000)), run)

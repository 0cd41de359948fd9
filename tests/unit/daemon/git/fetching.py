"""Repositories, credentials and expectations of the fetch tests."""

import os
from pathlib import Path

import pytest

from provisioner_operator.daemon.git.fetch_program import fetch
from provisioner_operator.daemon.git.request import REPOSITORY, Credentials, FetchError, GitRequest

MAIN = {"main.tf": "# one"}
ABSENT = "0123456789" * 4
LOGIN = Credentials("git-login", "joe", "hunter2hunter2")


def files(run: Path) -> dict[str, str]:
    """Return the files of the checkout, with the targets of symbolic links."""
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

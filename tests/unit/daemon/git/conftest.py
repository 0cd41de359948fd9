"""Fixtures of the fetch tests: a git server on loopback, and a run directory."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.programs.git_repository import Repository
from support.programs.git_server import (
    GitServer,
    serving,
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    with serving(Repository(tmp_path / "served")) as server:
        yield server


@pytest.fixture
def run(tmp_path: Path) -> Path:
    path = tmp_path / "run"
    path.mkdir()
    return path

"""The time of a release is that of its commit, or a given one."""

import subprocess
from pathlib import Path

import pytest

from release.errors import ReleaseError
from release.source import EPOCH_VARIABLE, source_of
from support.manifests import REPOSITORY


def _project(root: Path) -> Path:
    (root / "pyproject.toml").write_text('[project]\nversion = "1.2.3"\n', encoding="utf-8")
    return root


def test_a_given_time_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(EPOCH_VARIABLE, "7")

    source = source_of(_project(tmp_path))

    assert (source.version, source.epoch, source.environment[EPOCH_VARIABLE]) == ("1.2.3", 7, "7")


def test_without_it_that_of_the_last_commit_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(EPOCH_VARIABLE, raising=False)
    command = ["git", "log", "-1", "--format=%ct"]
    committed = subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout

    assert source_of(REPOSITORY).epoch == int(committed)


def test_without_either_there_is_no_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(EPOCH_VARIABLE, raising=False)

    with pytest.raises(ReleaseError, match=EPOCH_VARIABLE):
        source_of(_project(tmp_path))

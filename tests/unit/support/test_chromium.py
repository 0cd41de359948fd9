"""Chromium for the browser tests is found where it is named, or on the path."""

from pathlib import Path

import pytest

from support.programs.chromium import ENVIRONMENT_VARIABLE, NoBrowserError, find_chromium, flags


def a_program(path: Path) -> Path:
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_the_named_browser_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = a_program(tmp_path / "my-browser")
    a_program(tmp_path / "chromium")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(named))
    assert find_chromium() == named


def test_a_named_browser_that_does_not_exist_is_no_reason_to_take_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_program(tmp_path / "chromium")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(tmp_path / "missing"))
    with pytest.raises(NoBrowserError, match="missing, which does not exist"):
        find_chromium()


@pytest.mark.parametrize("name", ["chromium", "chromium-browser", "google-chrome"])
def test_a_browser_on_the_path_is_found(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = a_program(tmp_path / name)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(ENVIRONMENT_VARIABLE, raising=False)
    assert find_chromium() == program


def test_its_headless_shell_comes_before_a_whole_browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_program(tmp_path / "chromium")
    shell = a_program(tmp_path / "chromium-headless-shell")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(ENVIRONMENT_VARIABLE, raising=False)
    assert find_chromium() == shell


@pytest.mark.parametrize(("user", "expected"), [(0, True), (1000, False)])
def test_only_root_does_without_the_sandbox(*, user: int, expected: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: user)
    assert ("--no-sandbox" in flags()) is expected

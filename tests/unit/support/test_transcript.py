"""The log of the real client's commands has no token, and says where outputs are cut."""

from pathlib import Path

import pytest

from support.coder.transcript import VARIABLE, note


def test_commands_are_noted_by_test_without_the_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "log.md"
    monkeypatch.setenv(VARIABLE, str(file))
    monkeypatch.setenv("PYTEST_CURRENT_TEST", "tests/test_x.py::test_logging_in[real] (call)")
    note(("login", "--token", "s3cret"), 0, "Welcome!\n\n", secret="s3cret")
    note(("list",), 1, "\n".join(f"line {number}" for number in range(20)), secret="s3cret")
    monkeypatch.setenv("PYTEST_CURRENT_TEST", "tests/test_x.py::test_more[real] (call)")
    note(("list",), 0, "", secret="s3cret")

    log = file.read_text(encoding="utf-8")
    assert log.count("## Logging in\n") == log.count("## More\n") == 1
    assert "$ coder login --token $TOKEN\nWelcome!\n```" in log
    assert "line 15\n... 4 more lines\n(exit code 1)\n```" in log
    assert "s3cret" not in log


def test_nothing_is_noted_where_no_file_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    note(("list",), 0, "", secret="s3cret")

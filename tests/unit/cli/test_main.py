"""Errors of commands, as messages and exit codes."""

import pytest

from provisioner_operator.cli.__main__ import run

CONTRADICTION = ["jobs", "list", "-n", "acme", "-A"]


def test_a_wrong_command_line_ends_with_its_code_and_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["jobs", "lst"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "No such command 'lst'" in printed.err


def test_an_error_of_a_command_is_a_sentence_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(CONTRADICTION) == 2
    assert capsys.readouterr().err == "Error: -n and -A exclude each other: name one namespace, or list all of them.\n"


@pytest.mark.parametrize("arguments", [["--debug", *CONTRADICTION], [*CONTRADICTION, "--debug"]], ids=["first", "last"])
def test_debug_adds_the_traceback_wherever_it_stands(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    assert "Traceback" in capsys.readouterr().err


def test_an_alias_is_its_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["jobs", "ls", "--help"]) == 0
    assert "List jobs, oldest first." in capsys.readouterr().out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_script_calls_the_program_by_its_name(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", shell, "--program", "kp"]) == 0
    assert "_KP_COMPLETE" in capsys.readouterr().out

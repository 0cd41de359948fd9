"""The program that the daemon is to run, asked for its version: programs that answer as old and new ones do."""

from pathlib import Path

import pytest

from provisioner_operator.daemon.terraform.version import UnsupportedProgramError, fault_of, require_supported

OUTDATED = "\\n\\nYour version of Terraform is out of date! The latest version\\nis 1.14.0."


def a_program(directory: Path, script: str) -> str:
    path = directory / "terraform"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    "version",
    [
        "OpenTofu v1.6.0",
        "OpenTofu v1.12.6",
        "Terraform v1.9.0",
        "Terraform v1.10.0-dev",
        "Terraform v1.14.2",
        "Terraform v2.0.0",
    ],
)
def test_opentofu_and_a_terraform_that_is_new_enough_are_supported(tmp_path: Path, version: str) -> None:
    require_supported(a_program(tmp_path, f'[ "$*" = version ] && printf "{version}\\non linux_amd64{OUTDATED}"'))


def test_a_warning_before_the_version_does_not_matter() -> None:
    assert fault_of("\nWarning: Unable to open CLI configuration file\n\nOpenTofu v1.12.6\non linux_amd64\n") is None


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ('printf "Terraform v1.8.5\\non linux_amd64\\n"', "is Terraform 1.8, which is too old. The daemon needs"),
        ('printf "Terraform v0.12.31"', "is Terraform 0.12, which is too old"),
        ("echo hello", "is neither OpenTofu nor Terraform: its version is 'hello'"),
        ("exit 1", "is neither OpenTofu nor Terraform"),
    ],
)
def test_others_are_named_with_the_remedy(tmp_path: Path, script: str, said: str) -> None:
    program = a_program(tmp_path, script)
    with pytest.raises(UnsupportedProgramError) as raised:
        require_supported(program)
    message = str(raised.value)
    assert message.startswith(f"{program} {said}")
    assert message.endswith("Terraform 1.9 or newer: install it, or name it by --terraform PATH.")


def test_a_program_that_does_not_answer_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provisioner_operator.daemon.terraform.version._PATIENCE_SECONDS", 0.2)
    with pytest.raises(UnsupportedProgramError, match=r"to learn its version: .* timed out"):
        require_supported(a_program(tmp_path, "exec sleep 60"))


def test_a_program_that_cannot_be_executed_is_named(tmp_path: Path) -> None:
    path = tmp_path / "tofu"
    path.write_bytes(b"\x7fELF")
    path.chmod(0o755)
    with pytest.raises(UnsupportedProgramError, match=r"Cannot run .*/tofu to learn its version"):
        require_supported(str(path))

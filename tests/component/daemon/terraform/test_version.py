"""The program that the daemon is to run, asked for its version: programs that answer as old and new ones do."""

import os
from pathlib import Path

import pytest
from packaging.version import Version

from provisioner_operator.daemon.terraform.binaries.version import (
    Binary,
    UnsupportedProgramError,
    identify,
    parse_version,
)

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
    program = a_program(tmp_path, f'[ "$*" = version ] && printf "{version}\\non linux_amd64{OUTDATED}"')
    product, _, number = version.partition(" v")
    assert identify(program) == Binary(program, product, Version(number))


def test_a_warning_before_the_version_does_not_matter() -> None:
    output = "\nWarning: Unable to open CLI configuration file\n\nOpenTofu v1.12.6\non linux_amd64\n"
    assert str(parse_version("/bin/tofu", output)) == "OpenTofu 1.12.6 (/bin/tofu)"


def test_a_build_of_ones_own_counts_as_the_release_it_was_made_from() -> None:
    assert parse_version("/bin/tofu", "OpenTofu v1.12.6-acme+7\n").version == Version("1.12.6")


def test_a_program_that_is_replaced_in_its_place_is_asked_again(tmp_path: Path) -> None:
    assert identify(a_program(tmp_path, 'printf "Terraform v1.9.0"')).version == Version("1.9.0")
    program = a_program(tmp_path, 'printf "Terraform v1.14.2"')
    os.utime(program, (1, 1))
    assert identify(program).version == Version("1.14.2")


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ('printf "Terraform v1.8.5\\non linux_amd64\\n"', "is Terraform 1.8.5, which is too old. The daemon needs"),
        ('printf "Terraform v0.12.31"', "is Terraform 0.12.31, which is too old"),
        ("echo hello", "is neither OpenTofu nor Terraform: its version is 'hello'"),
        ("exit 1", "is neither OpenTofu nor Terraform"),
    ],
)
def test_others_are_named_with_the_remedy(tmp_path: Path, script: str, said: str) -> None:
    program = a_program(tmp_path, script)
    with pytest.raises(UnsupportedProgramError) as raised:
        identify(program)
    message = str(raised.value)
    assert message.startswith(f"{program} {said}")
    assert message.endswith("Terraform 1.9 or newer: install it, or name it by --terraform PATH.")


def test_a_program_that_does_not_answer_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provisioner_operator.daemon.terraform.binaries.version._PATIENCE_SECONDS", 0.2)
    with pytest.raises(UnsupportedProgramError, match=r"to learn its version: .* timed out"):
        identify(a_program(tmp_path, "exec sleep 60"))


def test_a_program_that_cannot_be_executed_is_named(tmp_path: Path) -> None:
    path = tmp_path / "tofu"
    path.write_bytes(b"\x7fELF")
    path.chmod(0o755)
    with pytest.raises(UnsupportedProgramError, match=r"Cannot run .*/tofu to learn its version"):
        identify(str(path))

"""Choice among programs of several versions: scripts that answer as they do, and the real one as judge of constraints."""

import subprocess
from pathlib import Path

import pytest

from provisioner_devcluster import find_tofu
from provisioner_operator.daemon.terraform.binaries.binary import Binaries, MissingProgramError
from provisioner_operator.daemon.terraform.binaries.version import identify
from provisioner_operator.daemon.terraform.binaries.version_constraint import satisfies


@pytest.fixture
def on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An otherwise empty PATH with OpenTofu 1.10.3."""
    folder = tmp_path / "bin"
    a_program(folder / "tofu", "OpenTofu v1.10.3")
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A directory with further versions, named in the usual ways, and with what is no program."""
    folder = tmp_path / "kept"
    a_program(folder / "terraform_1.11.4", "Terraform v1.11.4")
    a_program(folder / "1.9.8" / "terraform", "Terraform v1.9.8")
    a_program(folder / "tofu-v1.12.1", "OpenTofu v1.12.1")
    a_program(folder / "terraform_1.5.7", "Terraform v1.5.7")
    a_program(folder / "terraform-provider-coder_v2.20.0", "Terraform v1.13.0")
    (folder / "terraform_1.14.0").write_text("not executable")
    (folder / "terraform_1.15.0").mkdir()
    return folder


def a_program(path: Path, version: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{version}'\n")
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("constraint", "chosen"),
    [
        (None, "bin/tofu"),
        (">= 1.9, < 2", "kept/tofu-v1.12.1"),
        (">= 1.9, < 1.12", "bin/tofu"),
        ("~> 1.10.0", "bin/tofu"),
        ("~> 1.9.0", "kept/1.9.8/terraform"),
        ("< 1.10", "kept/1.9.8/terraform"),
        ("~> 1.11.0", "kept/terraform_1.11.4"),
    ],
)
def test_the_newest_that_satisfies_is_chosen_and_the_defaults_product_before_the_other(
    tmp_path: Path, on_path: Path, kept: Path, constraint: str | None, chosen: str
) -> None:
    assert on_path.is_dir()
    assert Binaries(None, (kept,)).find(constraint) == str(tmp_path / chosen)


def test_a_program_that_is_given_replaces_the_path(on_path: Path, kept: Path) -> None:
    given = kept / "terraform_1.11.4"
    assert (on_path / "tofu").exists()
    assert Binaries(given, (kept,)).find(None) == str(given)
    assert Binaries(given, (kept,)).find(">= 1.9, < 2") == str(given)
    assert Binaries(given, (kept,)).find(">= 1.12") == str(kept / "tofu-v1.12.1")
    with pytest.raises(MissingProgramError):
        Binaries(given).find("~> 1.10.0")


def test_a_directory_alone_has_a_default(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert Binaries(None, (kept,)).find(None) == str(kept / "tofu-v1.12.1")
    with pytest.raises(MissingProgramError, match="no executable tofu or terraform"):
        Binaries().find(">= 1.9")


def test_a_program_that_comes_later_is_found(on_path: Path, kept: Path) -> None:
    binaries = Binaries(None, (kept,))
    with pytest.raises(MissingProgramError):
        binaries.find("~> 1.8, >= 1.16")
    a_program(on_path / "terraform", "Terraform v1.16.0")
    assert binaries.find("~> 1.8, >= 1.16") == str(on_path / "terraform")


def test_what_is_there_and_what_was_asked_is_said(on_path: Path, kept: Path) -> None:
    with pytest.raises(MissingProgramError) as raised:
        Binaries(None, (kept,)).find("~> 1.5.0")
    message = str(raised.value)
    assert message.startswith(
        f"The job asks for terraformVersion `~> 1.5.0`, and its daemon has only OpenTofu 1.10.3 ({on_path}/tofu), "
        f"Terraform 1.9.8 ({kept}/1.9.8/terraform), "
    )
    assert (
        f"Not usable: {kept}/terraform_1.5.7 is Terraform 1.5.7, which is too old. Change terraformVersion," in message
    )
    assert f"install one where this daemon looks (the PATH, {kept}; --terraform-directory adds" in message


@pytest.mark.parametrize(
    "pattern", ["{}", "!= {}", ">{}", "<= {}", "~> {}", ">= 1.9, < 99", "~> 1", "~> 1.0", "~> 1.0.0", "<=1.8"]
)
def test_the_program_itself_judges_alike(tmp_path: Path, pattern: str) -> None:
    program = identify(str(find_tofu()))
    constraint = pattern.format(program.version)
    (tmp_path / "main.tf").write_text(f'terraform {{\n  required_version = "{constraint}"\n}}\n')
    done = subprocess.run([program.path, f"-chdir={tmp_path}", "init"], capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == satisfies(program.version, constraint), done.stderr

"""A build is current exactly as long as everything that went into it is."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from provisioner_devcluster.go_modules import CONTROL_PLANE, OPENTOFU

if TYPE_CHECKING:
    from pathlib import Path


def test_the_key_is_the_same_for_a_copy_elsewhere(tmp_path: Path) -> None:
    copy = shutil.copytree(CONTROL_PLANE.directory, tmp_path / "copy")
    assert replace(CONTROL_PLANE, directory=copy).key == CONTROL_PLANE.key


@pytest.mark.parametrize("file", ["go.mod", "go.sum", "main.go"])
def test_any_changed_file_changes_the_key(tmp_path: Path, file: str) -> None:
    copy = shutil.copytree(CONTROL_PLANE.directory, tmp_path / "copy")
    with (copy / file).open("a") as stream:
        stream.write("\n")
    assert replace(CONTROL_PLANE, directory=copy).key != CONTROL_PLANE.key


def test_a_changed_stamp_changes_the_key() -> None:
    assert replace(CONTROL_PLANE, linker_flags="-X other=1").key != CONTROL_PLANE.key


def test_the_control_plane_is_stamped_with_the_version_its_module_requires() -> None:
    assert "gitVersion=v1.36.3" in CONTROL_PLANE.linker_flags
    assert "gitMinor=36" in CONTROL_PLANE.linker_flags


def test_each_module_says_which_go_it_needs() -> None:
    assert CONTROL_PLANE.go_version == (1, 26, 0)
    assert OPENTOFU.go_version == (1, 26, 6)

"""A build is current exactly as long as all its inputs are unchanged."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from provisioner_devcluster.build.go_modules import CODER_PROVIDER, CONTROL_PLANE, NODE, OPENTOFU, PAUSE, GoModule

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


def test_each_module_declares_its_version_of_go() -> None:
    assert CONTROL_PLANE.go_version == (1, 26, 0)
    assert OPENTOFU.go_version == (1, 26, 6)
    assert PAUSE.go_version == (1, 26, 0)
    assert CODER_PROVIDER.go_version == (1, 26, 6)


def test_coders_provider_has_the_version_that_its_module_requires() -> None:
    assert CODER_PROVIDER.program == "terraform-provider-coder_v2.20.0"


def test_the_node_has_the_version_of_its_control_plane() -> None:
    assert NODE.linker_flags == CONTROL_PLANE.linker_flags


def test_common_packages_of_node_and_control_plane_are_compiled_once() -> None:
    node, plane = requirements(NODE), requirements(CONTROL_PLANE)
    both = node.keys() & plane.keys()
    assert len(both) > 100
    assert {name: node[name] for name in both} == {name: plane[name] for name in both}


def requirements(module: GoModule) -> dict[str, str]:
    """Return the versions that a go.mod requires, after its replacements."""
    text = (module.directory / "go.mod").read_text()
    lines = [line.split() for line in text.splitlines() if line.startswith("\t")]
    return {words[0]: words[-1] if "=>" in words else words[1] for words in lines}

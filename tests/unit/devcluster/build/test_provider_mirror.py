"""JobReconciler of Coder's provider, where Terraform and OpenTofu look for it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from provisioner_devcluster.build.architecture import go_architecture
from provisioner_devcluster.build.go_modules import CODER_PROVIDER, CODER_PROVIDER_VERSION
from provisioner_devcluster.build.provider_mirror import coder_provider_configuration, find_coder_mirror

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Script = Callable[..., Path]


def an_earlier_build(cache: Path, script: Script) -> Path:
    """Put a program where an earlier build of the provider left it."""
    return script(cache / "bin" / f"coder-{CODER_PROVIDER.key}" / f"terraform-provider-coder_v{CODER_PROVIDER_VERSION}")


def test_the_provider_is_found_by_both_registries_names(cache: Path, script: Script) -> None:
    program = an_earlier_build(cache, script)
    mirror = find_coder_mirror()
    found = {str(path.relative_to(mirror)) for path in mirror.rglob("*") if path.is_file() and os.access(path, os.X_OK)}
    inside = f"coder/coder/{CODER_PROVIDER_VERSION}/{sys.platform}_{go_architecture()}/{program.name}"
    assert found == {f"registry.terraform.io/{inside}", f"registry.opentofu.org/{inside}"}


@pytest.mark.usefixtures("path")
def test_a_mirror_is_created_once_and_leaves_nothing_incomplete(cache: Path, script: Script) -> None:
    program = an_earlier_build(cache, script)
    mirror = find_coder_mirror()
    program.unlink()  # another build would fail, because there is no Go on this PATH
    assert find_coder_mirror() == mirror
    assert [path for path in mirror.parent.iterdir() if path.is_dir()] == [mirror]


def test_only_coders_provider_comes_from_the_mirror(cache: Path, script: Script) -> None:
    an_earlier_build(cache, script)
    lines = [line.split() for line in coder_provider_configuration().splitlines()]
    words = {line[0]: " ".join(line[2:]) for line in lines if line[1:2] == ["="]}
    assert words["path"] == f'"{find_coder_mirror()}"'
    assert (
        words["include"]
        == words["exclude"]
        == '["registry.terraform.io/coder/coder", "registry.opentofu.org/coder/coder"]'
    )

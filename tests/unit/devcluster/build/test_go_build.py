"""Each program is built once per cache, and a failed build shows its error."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from provisioner_devcluster.build.go_build import build, built
from provisioner_devcluster.build.go_modules import GoModule
from provisioner_devcluster.errors import DevClusterError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# Substitute for go: prints a version, lists two packages, and "builds" by writing the output file.
GO = """
case "$1" in
env) echo go9.9 ;;
list) echo one; echo two ;;
build)
    echo built >> "$COUNT"
    while [ "$1" != -o ]; do shift; done
    echo one >&2
    echo program > "$2"
    ;;
esac
"""


@pytest.fixture
def module(tmp_path: Path) -> GoModule:
    directory = tmp_path / "module"
    directory.mkdir()
    (directory / "go.mod").write_text("module m\n\ngo 1.26.0\n")
    return GoModule(name="thing", directory=directory, package=".", program="thing", linker_flags="")


@pytest.fixture
def count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file in which each build leaves a line."""
    monkeypatch.setenv("COUNT", str(tmp_path / "count"))
    return tmp_path / "count"


def test_two_processes_at_the_same_time_build_it_once(
    module: GoModule, path: Path, count: Path, script: Callable[..., Path]
) -> None:
    script(path / "go", GO)
    with ThreadPoolExecutor() as threads:
        first, second = threads.map(build, [module, module])
    assert first == second == built(module)
    assert count.read_text() == "built\n"


def test_a_changed_module_is_built_again(
    module: GoModule, path: Path, count: Path, script: Callable[..., Path]
) -> None:
    script(path / "go", GO)
    before = build(module)
    after = build(replace(module, linker_flags="-X other=1"))
    assert before != after
    assert count.read_text() == "built\nbuilt\n"


def test_a_failed_build_shows_the_output_of_go_and_leaves_nothing(
    module: GoModule, path: Path, cache: Path, script: Callable[..., Path]
) -> None:
    script(path / "go", 'case "$1" in env) echo go9.9 ;; *) echo no space left on device >&2; exit 1 ;; esac')
    with pytest.raises(DevClusterError, match="no space left on device") as raised:
        build(module)
    assert "run the same command again" in str(raised.value)
    assert built(module) is None
    assert not [file for file in cache.rglob("*") if file.name == "thing" or file.name.startswith(".building")]

"""Isolated machine for each test: an empty PATH, an empty cache, and scripts in place of programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "cache"
    monkeypatch.setenv("PROVISIONER_DEVCLUSTER_CACHE", str(directory))
    for variable in (
        "KUBEBUILDER_ASSETS",
        "PROVISIONER_KUBECTL",
        "PROVISIONER_TOFU",
        "PROVISIONER_PROMETHEUS",
        "PROVISIONER_PROMTOOL",
        "PROVISIONER_DEVCLUSTER_IGNORE_PATH",
    ):
        monkeypatch.delenv(variable, raising=False)
    return directory


@pytest.fixture
def script() -> Callable[[Path, str], Path]:
    """Return a function that writes an executable shell script."""

    def write(path: Path, text: str = "exit 0") -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return path

    return write


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the only directory on the PATH."""
    directory = tmp_path / "path"
    directory.mkdir()
    monkeypatch.setenv("PATH", str(directory))
    return directory

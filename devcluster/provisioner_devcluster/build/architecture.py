"""Name of this machine's processor architecture in Go, OCI images and Terraform registries."""

from __future__ import annotations

import platform

# By the kernel's name; other names are the same everywhere.
_NAMES = {"x86_64": "amd64", "aarch64": "arm64"}


def go_architecture() -> str:
    """Return the value of `GOARCH` on this machine."""
    return _NAMES.get(platform.machine(), platform.machine())

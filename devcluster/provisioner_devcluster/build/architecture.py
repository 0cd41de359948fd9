"""This machine's processor by the name that Go, the image format and Terraform's registries have for it."""

from __future__ import annotations

import platform

# By the kernel's name; what is not here is called the same by all.
_NAMES = {"x86_64": "amd64", "aarch64": "arm64"}


def go_architecture() -> str:
    """Return the value that `GOARCH` has here."""
    return _NAMES.get(platform.machine(), platform.machine())

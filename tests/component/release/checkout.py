"""Copies of the checkout, as another maintainer on another day would have it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from release.plugin import PLATFORMS
from support.manifests import REPOSITORY

COMMITTED = 1_800_000_000
"""Time of the last commit in both copies."""
BUILD_TIMEOUT = 1200
"""Timeout in seconds; a build takes some fifteen of CPU, and shares the machine with other tests."""
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
PLATFORM = f"{sys.platform}-{_MACHINES[os.uname().machine]}"
"""Platform of this machine, the only one whose archive can run here."""
HERE = PLATFORM in PLATFORMS


def copy_checkout(target: Path, *, changed: int) -> Path:
    """Copy all files that git knows or would add, each with this time of its last change."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (REPOSITORY / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / name, target / name)
            os.utime(target / name, (changed, changed))
    return target


def build_release(checkout: Path, out: Path, *, umask: int, **environment: str) -> Path:
    """Build a release for this machine and this Python alone."""
    command = [sys.executable, "-m", "release", "build", "--out", str(out), "--platform", PLATFORM, "--python", PYTHON]
    done = subprocess.run(
        command,
        cwd=checkout,
        env={**os.environ, "SOURCE_DATE_EPOCH": str(COMMITTED), **environment},
        umask=umask,
        check=False,
        capture_output=True,
        text=True,
        timeout=BUILD_TIMEOUT,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return out

"""Buildah with a store of its own in the project's cache: images and containers without a daemon or registry.

Used by `stand_in_base` and `container_image`. Knows commands and containers, and nothing of what is in the images.
"""

import hashlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from provisioner_devcluster.locations import cache_directory

CHROOT = "--isolation=chroot"
"""Isolation without a container runtime, cgroup or network."""
TAIL = 40
"""Number of output lines in the error of a failed command."""


class BuildahError(Exception):
    """Failure of a command; the message has the command and its output."""


def command() -> list[str]:
    """Return the command line up to the subcommand."""
    store = cache_directory() / "images" / _driver()
    # The state of mounts must not survive a reboot; the images should.
    notes = Path("/run", f"provisioner-operator-{hashlib.sha256(str(store).encode()).hexdigest()[:12]}")
    return ["buildah", f"--root={store}", f"--runroot={notes}", f"--storage-driver={_driver()}"]


def buildah(*arguments: str) -> str:
    """Run a subcommand and return its output."""
    return run([*command(), *arguments])


def run(arguments: list[str], *, directory: Path | None = None, environment: Mapping[str, str] | None = None) -> str:
    """Run a program and return its standard output; an error contains the end of both streams."""
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, cwd=directory, env=environment)
    if done.returncode != 0:
        last = "\n".join((done.stdout + done.stderr).splitlines()[-TAIL:])
        raise BuildahError(f"{' '.join(arguments)}\nfailed (exit code {done.returncode}):\n{last}")
    return done.stdout


def has_image(name: str) -> bool:
    """Return whether the store has an image of this name."""
    return bool(buildah("images", "--quiet", "--filter", f"reference={name}").strip())


def configuration(image: str) -> Any:
    """Return the image's OCI configuration: user, environment, command, labels."""
    return json.loads(buildah("inspect", "--type", "image", image))["OCIv1"]["config"]


class Container:
    """A container made from an image, and its file system."""

    def __init__(self, name: str, root: Path) -> None:
        self.name = name
        self.root = root
        """Mount point of its file system."""

    def run(self, *arguments: str) -> str:
        """Run a program in it as the image's user, and return its standard output."""
        return buildah("run", CHROOT, self.name, "--", *arguments)


@contextmanager
def a_container(image: str) -> Iterator[Container]:
    """Create and mount a container of the image; remove it at the end."""
    name = buildah("from", "--pull-never", image).strip()
    try:
        yield Container(name, Path(buildah("mount", name).strip()))
    finally:
        buildah("rm", name)


@cache
def _driver() -> str:
    """Return `overlay` where the cache's file system supports it, else `vfs`, which copies every layer."""
    place = cache_directory() / "images"
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place, prefix=".probe-") as scratch:
        layers = [Path(scratch) / name for name in ("lower", "upper", "work", "merged")]
        for layer in layers:
            layer.mkdir()
        lower, upper, work, merged = layers
        options = f"lowerdir={lower},upperdir={upper},workdir={work}"
        mount = ["mount", "-t", "overlay", "overlay", "-o", options, str(merged)]
        if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
            return "vfs"
        subprocess.run(["umount", str(merged)], check=True)
        return "overlay"

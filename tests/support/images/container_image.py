"""The product's image, built by `make image` as users build it, for tests that run it.

Called by end-to-end fixtures; `python -m support.images.container_image` builds it beforehand, and shows its progress. Images
that no container registry serves are built here: the base by `stand_in_base`, OpenTofu by the embedded control plane's own
build. pip's settings on this machine are passed as a build secret, and stay out of the image.
"""

import ast
import functools
import os
import platform
import shutil
import sys
import tempfile
from pathlib import Path

from filelock import FileLock

from provisioner_devcluster.build.go_build import build
from provisioner_devcluster.build.go_modules import OPENTOFU
from provisioner_devcluster.locations import cache_directory
from provisioner_devcluster.progress import say
from provisioner_operator import __version__
from support.images.buildah import CHROOT, buildah, command, run
from support.images.stand_in_base import BUNDLE, stand_in_base
from support.manifests import REPOSITORY

IMAGE = f"localhost/provisioner-operator:{__version__}"
"""Name of the image in the local store, in the archive, and on the node that imports it."""

PROGRAMS = ("buildah", "mmdebstrap")
"""Required programs; the Debian packages have the same names."""
APT = ("apt-get", "--quiet", "-o", "DPkg::Lock::Timeout=600")
"""Seconds to wait for another package installation."""
MOST_IMAGES = 200
"""Number of images, one per build step, after which the store is swept: about fifteen builds of a hundred megabytes each."""


def obstacle() -> str | None:
    """Return the reason why the image cannot be built and run here, for the message of skipped tests."""
    if platform.system() != "Linux" or os.geteuid() != 0:
        return "images are built and run here with Linux's chroot and mounts, which needs root on Linux"
    missing = _missing()
    if missing and shutil.which("apt-get") is None:
        return f"not on the PATH, and there is no apt-get to install them: {', '.join(missing)}"
    return None


def built_image(archive: Path) -> str:
    """Write the image as an archive for container runtimes, and return its name in the archive."""
    image = image_in_store()
    archive.unlink(missing_ok=True)
    buildah("push", "--quiet", image, f"docker-archive:{archive}:{image}")
    return image


@functools.cache
def image_in_store() -> str:
    """Build the image of this checkout, once for each process, and return its name in the local store.

    The first build on a machine takes minutes, later ones take seconds plus the time for changed layers.
    """
    place = cache_directory() / "images"
    place.mkdir(parents=True, exist_ok=True)
    with FileLock(place / "build.lock"):
        _install_missing()
        tofu = build(OPENTOFU)
        base = stand_in_base()
        say("building the image")
        with tempfile.TemporaryDirectory() as scratch:
            _make_image(base=base, tofu=tofu, scratch=Path(scratch))
        _sweep()
    return IMAGE


def _make_image(*, base: str, tofu: Path, scratch: Path) -> None:
    provided = scratch / "tofu" / "usr" / "local" / "bin"
    provided.mkdir(parents=True)
    shutil.copy2(tofu, provided)
    pip_settings = scratch / "pip.conf"
    pip_settings.write_text(_pip_settings(), encoding="utf-8")
    flags = [
        *(CHROOT, "--pull-never", "--layers", "--force-rm", f"--build-arg=BASE={base}"),
        *(f"--build-context=tofu={scratch / 'tofu'}", f"--secret=id=pip,src={pip_settings}"),
    ]
    # Variables of the make that runs the tests must not affect this one.
    environment = {
        name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}
    }
    run(
        ["make", "image", f"IMAGE={IMAGE}", f"BUILDER={' '.join(command())}", f"IMAGE_ARGS={' '.join(flags)}"],
        directory=REPOSITORY,
        environment=environment,
    )


def _pip_settings() -> str:
    """Return pip's settings on this machine, from files and variables, as a configuration file for the build.

    Directories of this machine do not exist in the build; the stand-in has its certificate authorities under this name.
    """
    settings = {"cert": str(BUNDLE)}
    for line in run([sys.executable, "-m", "pip", "config", "list"]).splitlines():
        key, _, value = line.partition("=")
        name, plain = key.rpartition(".")[2], str(ast.literal_eval(value))
        if name != "cert" and not Path(plain).is_absolute():
            settings[name] = plain
    return "".join(["[global]\n", *(f"{name} = {value}\n" for name, value in settings.items())])


def _missing() -> list[str]:
    return [program for program in PROGRAMS if shutil.which(program) is None]


def _install_missing() -> None:
    if missing := _missing():
        say(f"installing {', '.join(missing)}")
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for arguments in (["update"], ["install", "--yes", "--no-install-recommends", *missing]):
            run([*APT, *arguments], environment=environment)


def _sweep() -> None:
    """Remove the layers of former builds once there are too many; the next build recreates its own."""
    if len(buildah("images", "--all", "--quiet").split()) > MOST_IMAGES:
        buildah("rmi", "--prune")


if __name__ == "__main__":
    # Not a failure: the skipped tests report the reason.
    print(f"no image: {reason}" if (reason := obstacle()) else image_in_store())  # noqa: T201

"""The product's image, built by `make image` as users build it, for tests that run it.

Called by end-to-end fixtures; `python -m support.images.container_image` builds it beforehand, with its progress in view. What
no container registry serves here is made on the spot: the base by `stand_in_base`, OpenTofu by the embedded control
plane's own build. What pip needs to reach its index on this machine goes in as the build secret, and stays out of the image.
"""

import ast
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
"""Its name in the local store, in the archive, and so on the node that imports it."""

PROGRAMS = ("buildah", "mmdebstrap")
"""What has to be here; Debian's packages have the same names."""
APT = ("apt-get", "--quiet", "-o", "DPkg::Lock::Timeout=600")
"""Waits, in seconds, for whoever else is installing something."""
MOST_IMAGES = 200
"""Images, a step of a build each, after which the store is swept: some fifteen changed builds of a hundred megabytes each."""


def obstacle() -> str | None:
    """Why the image cannot be built and run here, for the one who reads that tests were skipped."""
    if platform.system() != "Linux" or os.geteuid() != 0:
        return "images are built and run here with Linux's chroot and mounts, which needs root on Linux"
    missing = _missing()
    if missing and shutil.which("apt-get") is None:
        return f"not on the PATH, and there is no apt-get to install them: {', '.join(missing)}"
    return None


def built_image(archive: Path) -> str:
    """Write the image as an archive that container runtimes import, and return its name in there."""
    image = image_in_store()
    archive.unlink(missing_ok=True)
    buildah("push", "--quiet", image, f"docker-archive:{archive}:{image}")
    return image


def image_in_store() -> str:
    """Build the image of this checkout and return its name in the local store.

    The first call on a machine takes minutes, a later one seconds, and as long as a changed layer needs.
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
    # The make that runs the tests must not decide what this one does.
    environment = {
        name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}
    }
    run(
        ["make", "image", f"IMAGE={IMAGE}", f"BUILDER={' '.join(command())}", f"IMAGE_ARGS={' '.join(flags)}"],
        directory=REPOSITORY,
        environment=environment,
    )


def _pip_settings() -> str:
    """What pip is told on this machine, by files and variables, as a file for the build.

    Directories of this machine are not there; the authorities that it trusts are in the stand-in, under this name.
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
    """Forget the layers of former builds once there are too many; the next build makes its own anew."""
    if len(buildah("images", "--all", "--quiet").split()) > MOST_IMAGES:
        buildah("rmi", "--prune")


if __name__ == "__main__":
    # What keeps it from being built here is for the tests to say, which are skipped.
    print(f"no image: {reason}" if (reason := obstacle()) else image_in_store())  # noqa: T201

"""Substitute for the Dockerfile's base image where no container registry serves it: Debian with its own Python.

Called by `container_image`. mmdebstrap builds it from Debian packages, once per machine and content; it gets the base's
name in the local store, so that the Dockerfile is built unchanged. It contains this machine's certificate authorities,
because the package index may be behind a proxy with a certificate of its own.
"""

import hashlib
import os
import platform
import re
import tempfile
from pathlib import Path

from provisioner_devcluster.progress import say
from support.images.buildah import buildah, command, has_image, run
from support.manifests import REPOSITORY

TRUSTED = Path("/etc/ssl/certs")
"""Certificate authorities of this machine."""
BUNDLE = TRUSTED / "ca-certificates.crt"

PACKAGES = ("ca-certificates", "git", "python3", "python3-venv", "python-is-python3")
"""Packages with the contents of the official slim Python images: `python`, `python3`, `venv` and CA certificates. And git,
because the build has none of the settings by which this machine reaches Debian's packages."""
UNWANTED = ("/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/man/*")
"""Files that slim images omit."""
SUITE = "bookworm"
"""The oldest Debian release whose Python is new enough, to test the oldest supported Python."""
SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def base_name() -> str:
    """Return the name of the Dockerfile's base without its digest, which no substitute can have."""
    dockerfile = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")
    found = re.search(r"^ARG BASE=([^@\s]+)", dockerfile, re.MULTILINE)
    assert found is not None, "the Dockerfile has no `ARG BASE=` with a default"
    return found[1]


def stand_in_base() -> str:
    """Return the base's name, after building an image of that name in the local store if necessary."""
    name, made = base_name(), f"localhost/stand-in:{_key()}"
    if not has_image(made):
        say(f"building a substitute for the image {name} (once; a minute or two)")
        _make(made)
    buildah("tag", made, f"localhost/{name}")
    return name


def _key() -> str:
    """Return a digest of all inputs: this file, the certificates and the platform."""
    digest = hashlib.sha256(platform.machine().encode())
    digest.update(Path(__file__).read_bytes())
    digest.update(BUNDLE.read_bytes())
    return digest.hexdigest()[:12]


def _make(image: str) -> None:
    # In memory where possible, because the package manager syncs every file to disk.
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as scratch:
        archive = Path(scratch) / "root.tar"
        run(
            [
                *("mmdebstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}"),
                *(f"--dpkgopt=path-exclude={path}" for path in UNWANTED),
                # Replaced as a whole: symbolic links in it would lead a copy out of the new root.
                f'--customize-hook=rm -r "$1{TRUSTED}" && cp -rL {TRUSTED} "$1{TRUSTED}"',
                *(SUITE, str(archive)),
            ],
            environment={**os.environ, "TMPDIR": scratch},
        )
        container = run([*command(), "from", "scratch"]).strip()
        try:
            buildah("add", "--quiet", container, str(archive), "/")
            buildah("config", "--env", f"PATH={SEARCH_PATH}", "--cmd", "python3", container)
            buildah("commit", "--quiet", container, image)
        finally:
            buildah("rm", container)

"""The image that stands in for the Dockerfile's base where no container registry serves it: Debian with its own Python.

Called by `container_image`. Made of Debian packages by mmdebstrap, once per machine and content, and given the base's
name in the local store, so that the Dockerfile is built as it is. It trusts whom this machine trusts, as the way to the
package index may lead through a proxy with a certificate of its own.
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
"""This machine's certificates of authorities."""
BUNDLE = TRUSTED / "ca-certificates.crt"

PACKAGES = ("ca-certificates", "python3", "python3-venv", "python-is-python3")
"""What the official slim Python images offer as well: `python`, `python3`, `venv` and CA certificates."""
UNWANTED = ("/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/man/*")
"""What slim images leave out."""
SUITE = "bookworm"
"""The oldest Debian whose Python is new enough, so the oldest Python that the image must work with."""
SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def base_name() -> str:
    """The Dockerfile's base without its digest, which no stand-in can have."""
    dockerfile = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")
    found = re.search(r"^ARG BASE=([^@\s]+)", dockerfile, re.MULTILINE)
    assert found is not None, "the Dockerfile has no `ARG BASE=` with a default"
    return found[1]


def stand_in_base() -> str:
    """Return the base's name, once the local store has an image under it."""
    name, made = base_name(), f"localhost/stand-in:{_key()}"
    if not has_image(made):
        say(f"making a stand-in for the image {name} (once; a minute or two)")
        _make(made)
    buildah("tag", made, f"localhost/{name}")
    return name


def _key() -> str:
    """A digest of everything that decides what the stand-in is: this file, the certificates, the platform."""
    digest = hashlib.sha256(platform.machine().encode())
    digest.update(Path(__file__).read_bytes())
    digest.update(BUNDLE.read_bytes())
    return digest.hexdigest()[:12]


def _make(image: str) -> None:
    # In memory where there is some: the package manager syncs every file to disk.
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as scratch:
        archive = Path(scratch) / "root.tar"
        run(
            [
                *("mmdebstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}"),
                *(f"--dpkgopt=path-exclude={path}" for path in UNWANTED),
                # Replaced as a whole: the links in it would lead a copy out of the new root.
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

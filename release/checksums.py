"""Digests of all files of a release, in the form of `sha256sum`, and their signature by an SSH key.

One signature covers everything: whoever checks it, and then the digests, has checked each file.
"""

import hashlib
from pathlib import Path

from release.errors import run

SUMS = "SHA256SUMS"
SIGNATURE_NAMESPACE = "provisioner-operator-release"
"""Purpose of the signature: one that the same key has given for anything else is not valid here."""


def digest_of(file: Path) -> str:
    """Return the SHA-256 digest of a file, in hexadecimal."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def write_sums(folder: Path) -> None:
    """Write the digests of all files in the folder."""
    files = sorted(each for each in folder.iterdir() if each.name != SUMS)
    lines = [f"{digest_of(each)}  {each.name}\n" for each in files]
    (folder / SUMS).write_text("".join(lines), encoding="utf-8")


def sign(folder: Path, key: Path) -> Path:
    """Sign the digests with a private key, or with that of the agent for a public key, and return the signature's file."""
    sums = folder / SUMS
    signature = sums.with_name(f"{SUMS}.sig")
    signature.unlink(missing_ok=True)  # ssh-keygen asks before it replaces a file
    run(["ssh-keygen", "-q", "-Y", "sign", "-n", SIGNATURE_NAMESPACE, "-f", str(key), str(sums)])
    return signature

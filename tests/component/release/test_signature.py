"""The signature of a release, checked by the commands of the documentation."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from release.checksums import sign, write_sums
from release.errors import ReleaseError
from support.manifests import REPOSITORY

_SIGNER = "release@example.com"
_PAGE = (REPOSITORY / "docs" / "releasing.md").read_text("utf-8")
_VERIFY = next(
    block for block in re.findall(r"^```\n(.*?)^```$", _PAGE, re.MULTILINE | re.DOTALL) if "-Y verify" in block
)
"""The commands that users are told to run."""


def _key(folder: Path, name: str) -> Path:
    key = folder / name
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    return key


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """The maintainers' key."""
    return _key(tmp_path, "key")


@pytest.fixture
def release(tmp_path: Path, key: Path) -> Path:
    """A signed release, with the file of those who may sign it."""
    folder = tmp_path / "release"
    folder.mkdir()
    (folder / "install.yaml").write_text("kind: List\n", encoding="utf-8")
    write_sums(folder)
    sign(folder, key)
    public = key.with_suffix(".pub").read_text("utf-8")
    (folder / "allowed_signers").write_text(f"{_SIGNER} {public}", encoding="utf-8")
    return folder


def _verify(folder: Path) -> bool:
    done = subprocess.run(["bash", "-ec", _VERIFY], cwd=folder, check=False, capture_output=True, text=True)
    return done.returncode == 0


def test_a_signed_release_is_accepted(release: Path) -> None:
    assert _verify(release)


def test_it_can_be_signed_again(release: Path, key: Path) -> None:
    sign(release, key)

    assert _verify(release)


def _change_a_file(release: Path) -> None:
    (release / "install.yaml").write_text("kind: Secret\n", encoding="utf-8")


def _change_a_file_and_its_digest(release: Path) -> None:
    _change_a_file(release)
    (release / "SHA256SUMS.sig").rename(release.parent / "signature")
    allowed = (release / "allowed_signers").read_text("utf-8")
    (release / "allowed_signers").unlink()
    write_sums(release)
    (release / "allowed_signers").write_text(allowed, encoding="utf-8")
    (release.parent / "signature").rename(release / "SHA256SUMS.sig")


def _sign_with_another_key(release: Path) -> None:
    sign(release, _key(release.parent, "other"))


def _sign_for_another_purpose(release: Path) -> None:
    sums = release / "SHA256SUMS"
    (release / "SHA256SUMS.sig").unlink()
    command = ["ssh-keygen", "-q", "-Y", "sign", "-n", "file", "-f", str(release.parent / "key"), str(sums)]
    subprocess.run(command, check=True, capture_output=True)


@pytest.mark.parametrize(
    "tamper", [_change_a_file, _change_a_file_and_its_digest, _sign_with_another_key, _sign_for_another_purpose]
)
def test_anything_else_is_refused(release: Path, tamper: Callable[[Path], None]) -> None:
    tamper(release)

    assert not _verify(release)


def test_a_file_that_is_no_key_signs_nothing(release: Path) -> None:
    with pytest.raises(ReleaseError, match="ssh-keygen"):
        sign(release, release / "install.yaml")

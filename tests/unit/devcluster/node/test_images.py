"""An image built from scratch follows the OCI format: each blob has its digest."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from provisioner_devcluster.node.images import write_image

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "program"
    path.write_bytes(b"#!")
    return path


def content(archive: Path) -> dict[str, bytes]:
    with tarfile.open(archive) as tar:
        return {member.name: file.read() for member in tar if (file := tar.extractfile(member))}


def blob(files: dict[str, bytes], descriptor: dict[str, Any]) -> bytes:
    found = files[f"blobs/{descriptor['digest'].replace(':', '/')}"]
    assert len(found) == descriptor["size"]
    assert f"sha256:{hashlib.sha256(found).hexdigest()}" == descriptor["digest"]
    return found


def test_the_image_leads_to_its_program(tmp_path: Path, program: Path) -> None:
    write_image(tmp_path / "image.tar", "example/image:1", {"bin/program": program}, ["/bin/program"])
    files = content(tmp_path / "image.tar")
    [described] = json.loads(files["index.json"])["manifests"]
    assert described["annotations"] == {"io.containerd.image.name": "example/image:1"}
    manifest = json.loads(blob(files, described))
    config = json.loads(blob(files, manifest["config"]))
    [layer] = [blob(files, each) for each in manifest["layers"]]
    assert config["config"] == {"Entrypoint": ["/bin/program"], "User": "65532:65532"}
    assert config["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(layer).hexdigest()}"]
    with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
        [member] = tar.getmembers()
        assert (member.name, member.mode, member.uid) == ("bin/program", 0o755, 0)
        assert tar.extractfile(member).read() == b"#!"  # type: ignore[union-attr]  # a file, as its mode was just read


def test_the_same_programs_make_the_same_image(tmp_path: Path, program: Path) -> None:
    for name in ("one", "other"):
        write_image(tmp_path / name, "example/image:1", {"program": program}, ["/program"])
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()

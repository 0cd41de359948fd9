"""OCI images built from scratch, which contain only a few static programs.

Called by the container runtime for the pause image, and by tests. Knows neither runtimes nor registries.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from typing import TYPE_CHECKING

from provisioner_devcluster.build.architecture import go_architecture

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

# An unprivileged user, as Pods with `runAsNonRoot` require.
USER = "65532:65532"

_MEDIA_TYPE = "application/vnd.oci.image"


def write_image(archive: Path, name: str, programs: Mapping[str, Path], command: Sequence[str]) -> None:
    """Write the archive of an image.

    Args:
        archive: The file to write.
        name: The image's name, with its tag.
        programs: The programs in the image, by their file names in its root directory.
        command: The default command of a container.
    """
    layer = _layer(programs)
    files = {"oci-layout": _json({"imageLayoutVersion": "1.0.0"})}

    def add(kind: str, content: bytes) -> dict[str, object]:
        digest = hashlib.sha256(content).hexdigest()
        files[f"blobs/sha256/{digest}"] = content
        return {"mediaType": f"{_MEDIA_TYPE}.{kind}", "digest": f"sha256:{digest}", "size": len(content)}

    config = {
        "architecture": go_architecture(),
        "os": "linux",
        "config": {"Entrypoint": list(command), "User": USER},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{_MEDIA_TYPE}.manifest.v1+json",
        "config": add("config.v1+json", _json(config)),
        "layers": [add("layer.v1.tar", layer)],
    }
    described = add("manifest.v1+json", _json(manifest)) | {"annotations": {"io.containerd.image.name": name}}
    files["index.json"] = _json({"schemaVersion": 2, "manifests": [described]})
    with tarfile.open(archive, "w") as tar:
        for path, content in files.items():
            _add(tar, path, content)


def _layer(programs: Mapping[str, Path]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, program in programs.items():
            _add(tar, name, program.read_bytes(), mode=0o755)
    return stream.getvalue()


def _add(tar: tarfile.TarFile, name: str, content: bytes, mode: int = 0o644) -> None:
    # Owner and times stay zero, so that the same programs yield the same image.
    info = tarfile.TarInfo(name)
    info.size = len(content)
    info.mode = mode
    tar.addfile(info, io.BytesIO(content))


def _json(document: object) -> bytes:
    return json.dumps(document).encode()

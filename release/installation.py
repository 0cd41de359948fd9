"""The installation as single files: all of it, and the definitions alone, for who has no kustomize or no checkout."""

import os
import tempfile
from pathlib import Path

import yaml

from provisioner_devcluster import find_kubectl
from release.errors import run
from release.source import Source

_IMAGE = "provisioner-operator"
"""Name of the image in the manifests."""


def write_installation(source: Source, image: str, out: Path) -> None:
    """Write `install.yaml`, with this image, and `crds.yaml`."""
    manifests = source.root / "manifests"
    (out / "install.yaml").write_text(_built(manifests / "default", image), encoding="utf-8")
    (out / "crds.yaml").write_text(_built(source.root / "crds", image), encoding="utf-8")


def _built(resource: Path, image: str) -> str:
    with tempfile.TemporaryDirectory(prefix="release-") as scratch:
        # Kustomize takes no absolute path, and resolves links before it counts the steps upwards.
        relative = os.path.relpath(resource.resolve(), Path(scratch).resolve())
        kustomization = {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": [relative],
            "images": [{"name": _IMAGE, **image_fields(image)}],
        }
        (Path(scratch) / "kustomization.yaml").write_text(yaml.safe_dump(kustomization), encoding="utf-8")
        return run([str(find_kubectl()), "kustomize", scratch])


def image_fields(image: str) -> dict[str, str]:
    """Return a reference in the fields that kustomize wants: a name with a digest, which decides, a tag, or neither."""
    name, _, digest = image.partition("@")
    # A colon before the last slash belongs to a port.
    path, slash, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    fields = {"newName": f"{path}{slash}{last}"}
    if digest:
        return fields | {"digest": digest}
    return fields | ({"newTag": tag} if tag else {})

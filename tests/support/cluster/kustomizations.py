"""Kustomizations as users write them, on top of the product's own."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from support.manifests import MANIFESTS


def a_kustomization(folder: Path, *resources: str, components: Sequence[str] = (), **fields: Any) -> Path:
    """Write a kustomization of these parts of `manifests/` with further fields, and return its folder."""
    content = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [_relative(folder, each) for each in resources],
        "components": [_relative(folder, f"components/{each}") for each in components],
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(content | fields), encoding="utf-8")
    return folder


def _relative(folder: Path, part: str) -> str:
    return os.path.relpath((MANIFESTS / part).resolve(), folder.resolve())

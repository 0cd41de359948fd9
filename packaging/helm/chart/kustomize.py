"""The product's manifests as kubectl renders their kustomizations: the source of the chart."""

from __future__ import annotations

import functools
import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from provisioner_devcluster import find_kubectl

if TYPE_CHECKING:
    from collections.abc import Sequence

    Manifest = dict[str, Any]

MANIFESTS = Path(__file__).parents[3] / "manifests"
NAMESPACE = "provisioner-system"
"""The namespace of the manifests, which becomes that of the release."""
RENDERED_WITHIN = 300
"""Timeout in seconds; it takes a fraction of one on a quiet machine."""


def render(base: str, *, components: Sequence[str] = ()) -> list[Manifest]:
    """Return the objects of a folder of `manifests/`, with these components, as of the first call."""
    return _rendered(base, tuple(components))


@functools.cache
def _rendered(base: str, components: tuple[str, ...]) -> list[Manifest]:
    with tempfile.TemporaryDirectory() as folder:

        def relative(part: str) -> str:
            return os.path.relpath((MANIFESTS / part).resolve(), Path(folder).resolve())

        content = {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": [relative(base)],
            "components": [relative(f"components/{each}") for each in components],
        }
        (Path(folder) / "kustomization.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
        done = subprocess.run(
            [str(find_kubectl()), "kustomize", folder],
            check=True,
            capture_output=True,
            text=True,
            timeout=RENDERED_WITHIN,
        )
    return parsed(done.stdout)


def parsed(text: str) -> list[Manifest]:
    """Return the objects of a text with many, by the fast parser where there is one."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return [each for each in yaml.load_all(text, Loader=loader) if each]


def component(name: str, *, base: str) -> list[Manifest]:
    """Return the objects that a component adds to a folder; for those that it changes, the chart has values."""
    plain = {_identity(each) for each in render(base)}
    return [each for each in render(base, components=[name]) if _identity(each) not in plain]


def _identity(body: Manifest) -> tuple[str, str]:
    return body["kind"], body["metadata"]["name"]

"""Type of a manifest, and locations of the product's manifests."""

from pathlib import Path
from typing import Any

Manifest = dict[str, Any]
"""A Kubernetes object as parsed from YAML or JSON."""

REPOSITORY = Path(__file__).parents[2]
CRDS = REPOSITORY / "crds"
MANIFESTS = REPOSITORY / "manifests"
SUPPORT_DATA = Path(__file__).parent / "data"

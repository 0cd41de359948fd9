"""What a manifest is to the tests, and where the product's own lie."""

from pathlib import Path
from typing import Any

Manifest = dict[str, Any]
"""A Kubernetes object as YAML or JSON has it."""

REPOSITORY = Path(__file__).parents[2]
CRDS = REPOSITORY / "crds"
MANIFESTS = REPOSITORY / "manifests"
SUPPORT_DATA = Path(__file__).parent / "data"

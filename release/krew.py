"""The plugin's manifest for krew, from the template in `packaging/krew`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from release.checksums import digest_of
from release.source import Source

TEMPLATE = Path("packaging") / "krew" / "provisioner.yaml"


def write_manifest(source: Source, archives: Mapping[str, Path], *, homepage: str, downloads: str, out: Path) -> None:
    """Write the manifest with these archives, by their platforms, which are going to be found below `downloads`."""
    manifest = yaml.safe_load((source.root / TEMPLATE).read_text(encoding="utf-8"))
    manifest["spec"] |= {
        "version": f"v{source.version}",
        "homepage": homepage,
        "platforms": [
            _platform(name, archive, f"{downloads}/v{source.version}") for name, archive in sorted(archives.items())
        ],
    }
    text = yaml.safe_dump(manifest, sort_keys=False, width=120)
    (out / "provisioner.yaml").write_text(text, encoding="utf-8")


def _platform(name: str, archive: Path, downloads: str) -> dict[str, Any]:
    os, _, arch = name.partition("-")
    return {
        "selector": {"matchLabels": {"os": os, "arch": arch}},
        "uri": f"{downloads}/{archive.name}",
        "sha256": digest_of(archive),
        "files": [{"from": "*", "to": "."}],
        "bin": "kubectl-provisioner",
    }

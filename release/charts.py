"""Helm's packages of the charts. Such a package is the chart's folder in a `.tar.gz`; Helm's own has the time of its making."""

from pathlib import Path

import yaml

from release.archives import files_below, packed
from release.errors import ReleaseError
from release.source import Source


def write_charts(source: Source, out: Path) -> None:
    """Package each chart in `charts/`, if there are any. Raises ReleaseError if one is of another version."""
    for description in sorted((source.root / "charts").glob("*/Chart.yaml")):
        chart = yaml.safe_load(description.read_text(encoding="utf-8"))
        name, versions = chart["name"], {chart["version"], str(chart["appVersion"])}
        if versions != {source.version}:
            raise ReleaseError(f"{description} has version and appVersion {versions}, and not {source.version}.")
        package = packed(files_below(description.parent, prefix=name), source.epoch)
        (out / f"{name}-{source.version}.tgz").write_bytes(package)

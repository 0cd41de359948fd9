"""Bills of materials (CycloneDX) of the Python packages, from the locked requirements.

The image has bills of its own, of what is in it: see the Dockerfile.
"""

import sys
from pathlib import Path

from release.errors import run
from release.source import Source

_FORMAT = "1.6"


def write_bill(source: Source, requirements: str, target: Path) -> None:
    """Write the bill of a program whose packages are locked by these requirements."""
    # The tests validate the bills; to read the schemas takes six times as long as to write one.
    options = ["--output-reproducible", "--no-validate", "--spec-version", _FORMAT, "--mc-type", "application"]
    pyproject = source.root / "pyproject.toml"
    command = [sys.executable, "-m", "cyclonedx_py", "requirements", *options, "--pyproject", str(pyproject)]
    run([*command, "--output-file", str(target), "-"], env=source.environment, given=requirements)

"""The wheel and the source distribution, by the build system of pyproject.toml, without an environment of its own."""

import sys
from pathlib import Path

from release.errors import run
from release.source import Source


def build_distributions(source: Source, out: Path) -> Path:
    """Build both into the folder and return the wheel."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--target", "sdist"]
    run([*command, "--directory", str(out)], cwd=source.root, env=source.environment)
    (wheel,) = out.glob("*.whl")
    return wheel

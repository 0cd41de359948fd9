"""The checkout that is released: its version, and the time that all files of the release carry."""

import os
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path

from release.errors import ReleaseError

EPOCH_VARIABLE = "SOURCE_DATE_EPOCH"
"""Environment variable with the time, in seconds since 1970, for a checkout without git's history."""


@dataclass(frozen=True, slots=True)
class Source:
    """A checkout, with what makes two releases of it equal."""

    root: Path
    version: str
    epoch: int
    """Time of the last commit, in seconds since 1970."""

    @property
    def environment(self) -> dict[str, str]:
        """Environment of the programs that build a part."""
        # PYTHONHASHSEED: no order of a set may reach a file. PIP_ and UV_ settings, as of an own index, stay.
        return {**os.environ, EPOCH_VARIABLE: str(self.epoch), "PYTHONHASHSEED": "0", "TZ": "UTC"}


def source_of(root: Path) -> Source:
    """Return the checkout in this folder. Raises ReleaseError if it has no time."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return Source(root, version=project["version"], epoch=_epoch(root))


def _epoch(root: Path) -> int:
    if given := os.environ.get(EPOCH_VARIABLE):
        return int(given)
    command = ["git", "log", "-1", "--format=%ct"]
    done = subprocess.run(command, cwd=root, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise ReleaseError(f"{root} has no git history: set {EPOCH_VARIABLE} to the time of the release's commit.")
    return int(done.stdout)

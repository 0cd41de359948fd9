"""Lookup of programs on the PATH, with a check that they run.

Called by the tool lookups. Knows nothing of particular programs. `PROVISIONER_DEVCLUSTER_IGNORE_PATH=1` hides the PATH, to
test the fallbacks on a machine that has all programs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from provisioner_devcluster.errors import DevClusterError
from provisioner_devcluster.locations import MODULES

if TYPE_CHECKING:
    from collections.abc import Mapping

IGNORE_PATH_VARIABLE = "PROVISIONER_DEVCLUSTER_IGNORE_PATH"

# A program that does not print its version in this time does not work.
ANSWER_TIMEOUT = 20


def on_path(*names: str) -> list[Path]:
    """Return the programs of these names on the PATH, in the order of the names."""
    if os.environ.get(IGNORE_PATH_VARIABLE):
        return []
    return [Path(found).absolute() for name in names if (found := shutil.which(name))]


def chosen(variable: str, *question: str) -> Path | None:
    """Return the program that an environment variable names, if it is set; raise an error if it does not run."""
    value = os.environ.get(variable)
    if not value:
        return None
    if answer(Path(value), *question) is None:
        raise DevClusterError(f"{variable}={value} does not run. Correct the variable, or unset it.")
    return Path(value).absolute()


def answer(program: Path, *question: str, environment: Mapping[str, str] | None = None) -> str | None:
    """Return the output of a program, or None if it fails."""
    try:
        done = subprocess.run(
            [str(program), *question],
            check=True,
            capture_output=True,
            text=True,
            timeout=ANSWER_TIMEOUT,
            # Some tools read configuration from the current directory, and the root directory has none.
            cwd=MODULES,
            env={**os.environ, **(environment or {})},
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout

"""Errors that a maintainer can act on."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


class ReleaseError(Exception):
    """A part of the release that cannot be built, with the reason."""


def run(
    command: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None, given: str = ""
) -> str:
    """Run a program with this standard input and return its standard output. Raises ReleaseError with its messages."""
    done = subprocess.run(command, cwd=cwd, env=env, input=given, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise ReleaseError(f"{' '.join(command)} failed with exit code {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout

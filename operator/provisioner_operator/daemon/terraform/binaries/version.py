"""Learn the version of a program, and check that it is OpenTofu, or a Terraform that is new enough."""

import re
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from packaging.version import Version
from typing_extensions import override

from provisioner_operator.daemon.execution.child_environment import LOCALE, passed_on

OPENTOFU, TERRAFORM = "OpenTofu", "Terraform"
OLDEST_TERRAFORM = Version("1.9")
"""The first version whose `init` reports machine-readable output, from which the daemon explains failures."""
_PATIENCE_SECONDS = 60.0
"""Time that the program may take to name its version, on a busy machine."""
_VERSION = re.compile(rf"^({OPENTOFU}|{TERRAFORM}) v(\d+\.\d+(?:\.\d+)?(?:-(?:alpha|beta|rc|dev)\d*)?)", re.MULTILINE)
_REMEDY = f"The daemon needs {OPENTOFU}, or {TERRAFORM} {OLDEST_TERRAFORM} or newer: install it, or name it by --terraform PATH."


class UnsupportedProgramError(Exception):
    """The program is not one that the daemon can use; the message names it, the reason and what to do."""

    def __init__(self, fault: str) -> None:
        super().__init__(f"{fault}. {_REMEDY}")
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Binary:
    """A program that can run jobs."""

    path: str
    product: str
    """OpenTofu or Terraform."""
    version: Version

    @override
    def __str__(self) -> str:
        """Return the program as messages name it."""
        return f"{self.product} {self.version} ({self.path})"


def identify(path: str) -> Binary:
    """Run the program to learn its version, unless that is known of the same file. Raises UnsupportedProgramError."""
    try:
        changed = Path(path).stat().st_mtime_ns
    except OSError as error:
        raise UnsupportedProgramError(f"Cannot run {path} to learn its version: {error}") from error
    return _identify(path, changed)


@lru_cache(maxsize=256)
def _identify(path: str, _changed: int) -> Binary:
    # Nothing of the folder that it runs in, nor of a user's configuration, belongs to its version.
    environment = passed_on(LOCALE) | {"CHECKPOINT_DISABLE": "1", "HOME": "/"}
    try:
        answer = subprocess.run(
            [path, "version"],
            env=environment,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnsupportedProgramError(f"Cannot run {path} to learn its version: {error}") from error
    return parse_version(path, answer.stdout.decode(errors="replace"))


def parse_version(path: str, output: str) -> Binary:
    """Return the program with this output of `version`. Raises UnsupportedProgramError."""
    found = _VERSION.search(output)
    if found is None:
        first = " ".join(output.split())[:200]
        raise UnsupportedProgramError(f"{path} is neither OpenTofu nor Terraform: its version is {first!r}")
    binary = Binary(path, found[1], Version(found[2]))
    # The base: a first pre-release of 1.9 has what is needed.
    if binary.product == TERRAFORM and Version(binary.version.base_version) < OLDEST_TERRAFORM:
        raise UnsupportedProgramError(f"{path} is Terraform {binary.version}, which is too old")
    return binary

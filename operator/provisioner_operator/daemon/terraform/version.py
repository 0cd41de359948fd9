"""Check that a program is OpenTofu, or a Terraform that is new enough. Called at the daemon's start."""

import re
import subprocess
from functools import cache

from provisioner_operator.daemon.execution.child_environment import LOCALE, passed_on

OLDEST_TERRAFORM = (1, 9)
"""The first version whose `init` reports machine-readable output, from which the daemon explains failures."""
_PATIENCE_SECONDS = 60.0
"""Time that the program may take to name its version, on a busy machine."""
_VERSION = re.compile(r"^(OpenTofu|Terraform) v(\d+)\.(\d+)", re.MULTILINE)


class UnsupportedProgramError(Exception):
    """The program is not one that the daemon can use; the message names it, the reason and what to do."""


@cache
def require_supported(binary: str) -> None:
    """Run the program to learn its version, unless it is known to be supported. Raises UnsupportedProgramError."""
    # Nothing of the folder that it runs in, nor of a user's configuration, belongs to its version.
    environment = passed_on(LOCALE) | {"CHECKPOINT_DISABLE": "1", "HOME": "/"}
    try:
        answer = subprocess.run(
            [binary, "version"],
            env=environment,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnsupportedProgramError(f"Cannot run {binary} to learn its version: {error}. {_REMEDY}") from error
    if (fault := fault_of(answer.stdout.decode(errors="replace"))) is not None:
        raise UnsupportedProgramError(f"{binary} {fault}. {_REMEDY}")


def fault_of(output: str) -> str | None:
    """Return why a program with this output of `version` cannot be used; None if it can."""
    found = _VERSION.search(output)
    if found is None:
        first = " ".join(output.split())[:200]
        return f"is neither OpenTofu nor Terraform: its version is {first!r}"
    name, version = found[1], (int(found[2]), int(found[3]))
    if name == "Terraform" and version < OLDEST_TERRAFORM:
        return f"is Terraform {found[2]}.{found[3]}, which is too old"
    return None


_REMEDY = (
    f"The daemon needs OpenTofu, or Terraform {'.'.join(map(str, OLDEST_TERRAFORM))} or newer: install it, or name it by "
    "--terraform PATH."
)

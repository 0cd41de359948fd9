"""Find the program that carries out Terraform jobs."""

import shutil
from pathlib import Path

BINARIES = ("tofu", "terraform")
"""The programs searched in this order when none is given."""


class MissingProgramError(Exception):
    """There is neither terraform nor tofu; the message says where it was searched, and what to do."""


def find_binary(given: Path | None) -> str:
    """Return the path of the given program, or else of the first of BINARIES on the PATH. Raises MissingProgramError."""
    wanted = (str(given),) if given else BINARIES
    for name in wanted:
        if found := shutil.which(name):
            return str(Path(found).absolute())
    raise MissingProgramError(
        f"The daemon has no executable {' or '.join(wanted)}. Install it in its image, or start the daemon with "
        "--terraform PATH."
    )

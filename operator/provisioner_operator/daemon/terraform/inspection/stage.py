"""Define the command of the stage `inspect`: `program`, so that the parser of Terraform's language is not loaded into the daemon.

Used for a template's import, and for a job whose values a file of its source might replace.
"""

import sys
from pathlib import Path

from provisioner_operator.daemon.execution.child_environment import LOCALE, passed_on
from provisioner_operator.daemon.execution.provisioner import Stage

INSPECT = "inspect"
_PROGRAM = "provisioner_operator.daemon.terraform.inspection.program"


def inspect_stage(directory: Path, folder: str) -> Stage:
    """Return the command that inspects the module in the folder; its environment has no value of a variable."""
    environment = passed_on(LOCALE) | {"HOME": str(directory), "TMPDIR": str(directory)}
    return Stage(INSPECT, (sys.executable, "-I", "-m", _PROGRAM), folder, environment)

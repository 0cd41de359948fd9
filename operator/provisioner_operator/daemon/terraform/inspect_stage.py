"""Define the stage `inspect` of a template's import: its command, and the reader of its output.

Used by `provisioner`. The command is `inspect_program`, so that the parser of Terraform's language is not loaded into the
daemon.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from provisioner_operator.core.jobs.outcome import DeclaredVariable, ResourceChange
from provisioner_operator.daemon.execution.child_environment import LOCALE, passed_on
from provisioner_operator.daemon.execution.provisioner import Stage

INSPECT = "inspect"
VARIABLE_PREFIX = "variable: "
RESOURCE_PREFIX = "resource: "
"""Mark the lines of the program's output that hold a declaration as JSON."""
_PROGRAM = "provisioner_operator.daemon.terraform.inspect_program"


def inspect_stage(directory: Path, folder: str) -> Stage:
    """Return the command that inspects the module in the folder; its environment has no value of a variable."""
    environment = passed_on(LOCALE) | {"HOME": str(directory), "TMPDIR": str(directory)}
    return Stage(INSPECT, (sys.executable, "-I", "-m", _PROGRAM), folder, environment)


class InspectReader:
    """Reads the program's output."""

    def __init__(self) -> None:
        self.variables: list[DeclaredVariable] = []
        self.resources: list[ResourceChange] = []

    def read(self, line: str) -> Sequence[str]:
        """Interpret a line and return the lines that the log shows for it."""
        if line.startswith(VARIABLE_PREFIX):
            self.variables.append(DeclaredVariable(**json.loads(line.removeprefix(VARIABLE_PREFIX))))
            return ()
        if line.startswith(RESOURCE_PREFIX):
            self.resources.append(ResourceChange(**json.loads(line.removeprefix(RESOURCE_PREFIX))))
            return ()
        return (line,)

    def summary(self) -> str:
        """Return the counts of what was found, for the log."""
        return f"The template declares {len(self.variables)} variables and {len(self.resources)} resources."

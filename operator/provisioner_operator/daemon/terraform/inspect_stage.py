"""The stage `inspect` of a template's import: its command, and what its output means. Used by `terraform`.

The command is `inspect_program`; the parser of Terraform's language is not loaded into the daemon.
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
    """The command that reads the module in the folder; no value of a variable is in its environment."""
    environment = passed_on(LOCALE) | {"HOME": str(directory), "TMPDIR": str(directory)}
    return Stage(INSPECT, (sys.executable, "-I", "-m", _PROGRAM), folder, environment)


class InspectReader:
    """Reads what the program says."""

    def __init__(self) -> None:
        self.variables: list[DeclaredVariable] = []
        self.resources: list[ResourceChange] = []

    def read(self, line: str) -> Sequence[str]:
        """Take note of a line and return what the log shows of it."""
        if line.startswith(VARIABLE_PREFIX):
            self.variables.append(DeclaredVariable(**json.loads(line.removeprefix(VARIABLE_PREFIX))))
            return ()
        if line.startswith(RESOURCE_PREFIX):
            self.resources.append(ResourceChange(**json.loads(line.removeprefix(RESOURCE_PREFIX))))
            return ()
        return (line,)

    def summary(self) -> str:
        """What was found, for the log."""
        return f"The template declares {len(self.variables)} variables and {len(self.resources)} resources."

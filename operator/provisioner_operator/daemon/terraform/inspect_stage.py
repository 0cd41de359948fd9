"""Define the stage `inspect`: its command, and the reader of its output.

Used by `provisioner`, for a template's import, and for a job whose values a file of its source might replace. The command is `inspect_program`, so that the parser of Terraform's language is not loaded into the
daemon.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from provisioner_operator.core.jobs.outcome import DeclaredVariable, ResourceChange
from provisioner_operator.daemon.execution.child_environment import LOCALE, passed_on
from provisioner_operator.daemon.execution.provisioner import Stage
from provisioner_operator.daemon.terraform.value_files import Syntax

INSPECT = "inspect"
VARIABLE_PREFIX = "variable: "
RESOURCE_PREFIX = "resource: "
SYNTAX_PREFIX = "syntax: "
"""Mark the lines of the program's output that hold a declaration, or how values are read, as JSON."""
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
        self.syntax = Syntax()

    def read(self, line: str) -> Sequence[str]:
        """Interpret a line and return the lines that the log shows for it."""
        if line.startswith(VARIABLE_PREFIX):
            self.variables.append(DeclaredVariable(**json.loads(line.removeprefix(VARIABLE_PREFIX))))
            self.syntax.declared.add(self.variables[-1].name)
            return ()
        if line.startswith(RESOURCE_PREFIX):
            self.resources.append(ResourceChange(**json.loads(line.removeprefix(RESOURCE_PREFIX))))
            return ()
        if line.startswith(SYNTAX_PREFIX):
            found = json.loads(line.removeprefix(SYNTAX_PREFIX))
            self.syntax.expressions.update(found["expressions"])
            self.syntax.ephemeral.update(found["ephemeral"])
            self.syntax.unread.extend(found["unread"])
            return ()
        return (line,)

    def summary(self) -> str:
        """Return the counts of what was found, for the log."""
        return f"The template declares {len(self.variables)} variables and {len(self.resources)} resources."

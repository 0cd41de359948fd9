"""Define the output of `program`, and read it in the daemon.

Imports little: `program` imports it too, at each start.
"""

import json
from collections.abc import Sequence

from provisioner_operator.core.jobs.outcome import DeclaredVariable, ResourceChange
from provisioner_operator.daemon.terraform.value_files import Syntax

VARIABLE_PREFIX = "variable: "
RESOURCE_PREFIX = "resource: "
SYNTAX_PREFIX = "syntax: "
"""Mark the lines of the program's output that hold a declaration, or how values are read, as JSON."""


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

"""`workspaces state list`: the versions that are kept of a workspace's state."""

import json
import sys
from dataclasses import asdict

from provisioner_operator.cli.output.table import Column, lines
from provisioner_operator.cli.output.times import moment
from provisioner_operator.cli.session import Session
from provisioner_operator.cli.workspaces.state_reading import read_history
from provisioner_operator.core.states.versions import StateVersion

_KIBIBYTE = 1024


def list_state_versions(session: Session, name: str, form: str) -> None:
    """Print the versions, the newest first."""
    _, history = read_history(session.cluster, name)
    versions = tuple(reversed(history.versions))
    if form == "json":
        json.dump([asdict(each) for each in versions], sys.stdout, indent=2)
        sys.stdout.write("\n")
    elif versions:
        session.terminal.show(lines(_columns(utc=session.utc), versions, width=session.terminal.width))
    else:
        session.terminal.note(
            f"No versions of the state of {name}: none was kept yet, or its template keeps the state in another backend."
        )


def _columns(*, utc: bool) -> list[Column[StateVersion]]:
    return [
        Column("version", lambda each: str(each.number), 100),
        Column("kept", lambda each: moment(each.kept, utc=utc), 80),
        Column("found", lambda each: each.origin, 90),
        Column("serial", lambda each: str(each.serial), 60),
        Column("resources", lambda each: str(each.resources), 70),
        Column("size", lambda each: f"{max(each.size // _KIBIBYTE, 1)} KiB", 50),
        Column("lineage", lambda each: each.lineage, 40),
    ]

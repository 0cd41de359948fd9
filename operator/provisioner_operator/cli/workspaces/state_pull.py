"""`workspaces state pull`: the text of a state on standard output."""

import sys

from provisioner_operator.cli.errors import PreconditionError
from provisioner_operator.cli.session import Session
from provisioner_operator.cli.workspaces.state_reading import read_history, read_text, require_version
from provisioner_operator.core.states.file import UnreadableStateError, unpack


def pull_state(session: Session, name: str, number: int | None) -> None:
    """Write the present state, or a version, as it is."""
    if number is None:
        text = read_text(session.cluster, name)
    else:
        _, history = read_history(session.cluster, name)
        version = require_version(history, number, name)
        try:
            text = unpack(history.packed[version.number])
        except UnreadableStateError as error:
            raise PreconditionError(f"Version {number} cannot be read: {error}.") from None
    sys.stdout.buffer.write(text)
    sys.stdout.buffer.flush()

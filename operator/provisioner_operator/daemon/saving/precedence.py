"""Decide whether a state may replace the one that is stored: only if that is one which its own run has read or written.

`state push` compares lineage and serial, but that is not enough. Of two runs that started from the same version, the one whose
state has the higher serial would replace what the other one did. Pure; used by `pusher`.
"""

import json
import zipfile
from pathlib import Path

from provisioner_operator.daemon.execution.unsaved_state import StateVersion

_STATE_OF_PLAN = "tfstate"
"""The member of a plan file, a ZIP archive, that holds the state which the plan starts from."""


def version_of(document: str | bytes) -> StateVersion | None:
    """Return the version of a state; None if it is empty, as where nothing is stored. Raises ValueError."""
    if not document.strip():
        return None
    try:
        state = json.loads(document)
        version = StateVersion(str(state["lineage"]), int(state["serial"]))
    except (LookupError, TypeError) as error:
        raise ValueError(f"it is no state: {error!r}") from error
    return version if version.lineage else None


def version_planned_from(plan: Path) -> StateVersion | None:
    """Return the version of the state that a plan file starts from; None if that cannot be read."""
    try:
        with zipfile.ZipFile(plan) as archive:
            return version_of(archive.read(_STATE_OF_PLAN))
    except (OSError, ValueError, LookupError, zipfile.BadZipFile, NotImplementedError):
        return None


def may_replace(
    stored: StateVersion | None, unsaved: StateVersion, base: StateVersion | None, *, is_alone: bool
) -> bool:
    """Return whether the unsaved state may replace the stored one, None if nothing is stored.

    `base` is the version that its run started from. The run `is_alone` if no other one can have written since: it still holds
    the lock, or its daemon never lost contact.
    """
    if stored is None:
        return True
    if stored.lineage != unsaved.lineage or stored.serial > unsaved.serial:
        return False
    # Of the same serial, `state push` accepts only the same content: then the API server's answer was lost.
    return is_alone or stored in (base, unsaved)

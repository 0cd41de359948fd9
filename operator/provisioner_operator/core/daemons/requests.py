"""Build the patch by which users cordon and uncordon a daemon. Pure; used by the command line and the web server."""

from dataclasses import dataclass

from provisioner_operator.core.model.json_patch import JsonPatch
from provisioner_operator.core.model.metadata import Metadata
from provisioner_operator.core.model.request_errors import Cause, NothingToChangeError


@dataclass(frozen=True, slots=True)
class DaemonReport:
    """A daemon's own report on its work, which the scheduling rules do not need."""

    meta: Metadata
    cordoned: bool
    version: str
    heartbeat: str
    """RFC 3339; empty before the first one."""
    current_jobs: tuple[str, ...]
    consecutive_failures: int
    failed: int
    completed: int
    unsaved_states: tuple[str, ...] = ()
    """Jobs whose Terraform states could not be saved, and only this daemon has."""


def cordon_patch(daemon: DaemonReport, *, cordoned: bool) -> JsonPatch:
    """Return the change of `spec.cordoned`, valid only for this very daemon.

    Raises NothingToChangeError if it is set already.
    """
    if daemon.cordoned is cordoned:
        state = "It is cordoned already." if cordoned else "It is not cordoned."
        raise NothingToChangeError(Cause.AS_REQUESTED, state)
    return JsonPatch(tests=(("/metadata/uid", daemon.meta.uid),), sets=(("/spec/cordoned", cordoned),))

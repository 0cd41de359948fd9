"""Keep the state in the backend that a template's files name, with settings of the job (`spec.state`).

The settings are in a file that `init` reads, so that no secret is on a command line. Pure except for that file and the
record that `init` leaves; used by `provisioner` and `failure`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from provisioner_operator.core.states.lock import LockHolder
from provisioner_operator.daemon.terraform.state import BACKEND_SETTINGS_FILE, write_private

BACKENDS = ("azurerm", "gcs", "http", "pg", "s3")
"""Backends that keep a state outside of the run's directory, while Terraform itself runs in it."""


@dataclass(frozen=True, slots=True)
class TemplateBackend:
    """The settings that complete the backend block of the files."""

    settings: Mapping[str, str] = field(repr=False)

    def write(self, directory: Path) -> None:
        """Write the file of the settings, for its owner alone."""
        write_private(directory / BACKEND_SETTINGS_FILE, dict(self.settings))

    def fault(self, directory: Path) -> str | None:
        """Return the reason why an initialized directory would lose its state; None if it keeps it in one of BACKENDS."""
        used = initialized_backend(directory)
        if used in BACKENDS:
            return None
        names = "no backend" if used == "local" else f"the backend {used}"
        return (
            f"spec.state.backend is Template, and the files name {names} for the state. Put a block with one of "
            f'{", ".join(BACKENDS)} into their terraform block, such as `backend "s3" {{}}`.'
        )


def initialized_backend(directory: Path) -> str:
    """Return the type of the backend that `init` has set up in the directory; `local` without one."""
    try:
        return str(json.loads((directory / ".terraform" / "terraform.tfstate").read_text())["backend"]["type"])
    except (OSError, ValueError, LookupError, TypeError):
        return "local"


def explain_lock_of_backend(holder: LockHolder, *, namespace: str, workspace: str) -> str:
    """Return the message that describes the holder of the lock and a safe way to release it."""
    known = f"by {holder.who} since {holder.created} ({holder.operation}, lock id {holder.id})"
    unknown = f"(lock id {holder.id}; the backend does not say by whom)"
    return (
        f"The state of workspace {workspace} is locked {unknown if holder == LockHolder(holder.id) else known}. If that run is still active, wait for it. If it is dead "
        f"(`kubectl -n {namespace} get pj,pd` shows no job of this workspace and no daemon running it), check what it left "
        f"behind, release the lock (`terraform force-unlock {holder.id}` in a folder that was initialized with the same "
        "backend and settings), and retry the job."
    )

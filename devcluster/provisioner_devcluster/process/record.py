"""Record in a cluster's directory: its launcher, its processes, and its address.

Written by the control plane; read by the command line and by the cleanup after a dead launcher.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from provisioner_devcluster.process.process import Identity

if TYPE_CHECKING:
    from pathlib import Path

FILE = "record.json"


@dataclass(frozen=True, slots=True)
class Record:
    """One cluster, as last recorded by its launcher."""

    owner: Identity
    """The launcher; the cluster lives as long as this process."""
    ready: bool = False
    server: str = ""
    kubeconfig: str = ""
    source: str = ""
    """Origin of the programs, for messages."""
    components: dict[str, Identity] = field(default_factory=dict)

    def write(self, directory: Path) -> None:
        """Store the record atomically, so that no reader sees half of it."""
        draft = directory / f".{FILE}"
        draft.write_text(json.dumps(asdict(self)), encoding="utf-8")
        draft.replace(directory / FILE)

    @classmethod
    def read(cls, directory: Path) -> Record | None:
        """Return the record of a directory, or None if it has none."""
        try:
            stored: dict[str, Any] = json.loads((directory / FILE).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        owner = Identity(**stored.pop("owner"))
        components = {name: Identity(**identity) for name, identity in stored.pop("components").items()}
        return cls(owner=owner, components=components, **stored)

"""A row of the tables: one way to break one rule, which it names by its message."""

from dataclasses import dataclass

from typing_extensions import override

from provisioner_operator.api.v1alpha1.enums import Phase
from provisioner_operator.api.v1alpha1.names import DAEMONS, JOBS, POOLS, QUEUES, TEMPLATES, WORKSPACES
from support.manifests import Manifest

KINDS = {
    "ProvisionerJob": JOBS,
    "ProvisionerDaemon": DAEMONS,
    "ProvisionerPool": POOLS,
    "ProvisionerQueue": QUEUES,
    "WorkspaceTemplate": TEMPLATES,
    "Workspace": WORKSPACES,
}
LATER = "2026-01-01T09:00:00Z"
FRESH = "fresh"
"""A job as it was created, with every field of the spec set and without `cancel`."""
NEVER_STARTED = "never-started"
"""A job that failed without a daemon."""
UNSTAMPED = "unstamped"
"""A job, or a workspace, in which no name is written: neither by its maker nor by the API server."""


@dataclass(frozen=True, slots=True)
class Creation:
    """An object that is refused."""

    rule: str
    manifest: Manifest
    at: str
    """The field that the refusal names."""

    @property
    def kind(self) -> str:
        return KINDS[self.manifest["kind"]]

    @property
    def says(self) -> str:
        return self.rule

    @override
    def __str__(self) -> str:
        return f"{self.kind}: {self.rule}"


@dataclass(frozen=True, slots=True)
class Change:
    """A merge patch of an existing job, or of the workspace `WORKSPACE`, that is refused."""

    rule: str
    job: Phase | str
    patch: Manifest
    at: str
    message: str = ""
    """Expected message, where the rule builds its message from the values."""
    kind: str = JOBS
    unstamped: bool = False
    """Whether it is tried by a user whose name does not fit a field, so that the API server stamps nothing."""

    @property
    def says(self) -> str:
        return self.message or self.rule

    @override
    def __str__(self) -> str:
        return f"{self.job}: {self.patch} ({self.rule})"

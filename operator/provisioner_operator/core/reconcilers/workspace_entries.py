"""Entries of the workspace cache: the observations about one template and about one workspace."""

from dataclasses import dataclass, field

from provisioner_operator.core.model.backoff import Backoff
from provisioner_operator.core.workspaces.records import Build, Import, Template, Workspace
from provisioner_operator.core.workspaces.template_source import Reading


@dataclass(slots=True)
class TemplateEntry:
    """Observations about one template, and its backoffs."""

    template: Template | None = None
    """None while only its jobs were observed."""
    reading: Reading | None = None
    kept: set[str] = field(default_factory=set)
    discarded: set[str] = field(default_factory=set)
    imports: dict[str, Import | None] = field(default_factory=dict)
    wanted: str | None = None
    backoff: Backoff | None = None
    """Backoff of the next step, if it was refused."""
    status_backoff: Backoff | None = None
    """Backoff of the status, if it was refused; it holds back nothing else."""
    status_due: float | None = None


@dataclass(slots=True)
class WorkspaceEntry:
    """Observations about one workspace, and its backoffs."""

    workspace: Workspace | None = None
    """None while only its jobs were observed."""
    builds: dict[int, Build] = field(default_factory=dict)
    floor: int = 0
    """Highest build number that any job has taken."""
    searched: bool = False
    backoff: Backoff | None = None
    """Backoff of the next step, if it was refused."""
    status_backoff: Backoff | None = None
    """Backoff of the status, if it was refused; it holds back nothing else."""
    status_due: float | None = None

"""Define what the workspace cache keeps of one template and of one workspace."""

from dataclasses import dataclass, field

from provisioner_operator.core.model.backoff import Backoff
from provisioner_operator.core.workspaces.records import Build, Import, Template, Workspace
from provisioner_operator.core.workspaces.template_source import Reading


@dataclass(slots=True)
class TemplateEntry:
    """What is known of one template."""

    template: Template | None = None
    """None while only jobs of it were observed."""
    reading: Reading | None = None
    kept: set[str] = field(default_factory=set)
    discarded: set[str] = field(default_factory=set)
    imports: dict[str, Import | None] = field(default_factory=dict)
    wanted: str | None = None
    backoff: Backoff | None = None
    """The refusals of what is to be done next."""
    status_backoff: Backoff | None = None
    """The refusals of its status: they hold back nothing else."""
    status_due: float | None = None


@dataclass(slots=True)
class WorkspaceEntry:
    """What is known of one workspace."""

    workspace: Workspace | None = None
    """None while only jobs of it were observed."""
    builds: dict[int, Build] = field(default_factory=dict)
    floor: int = 0
    """Build numbers up to this one are taken, by whomever."""
    searched: bool = False
    backoff: Backoff | None = None
    """The refusals of what is to be done next."""
    status_backoff: Backoff | None = None
    """The refusals of its status: they hold back nothing else."""
    status_due: float | None = None

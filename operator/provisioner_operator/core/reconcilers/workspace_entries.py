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

    def versions_in_use(self) -> set[str]:
        """Return the template's versions that the workspace asks for, or that its latest builds were made from."""
        versions = {build.record.version for build in self.builds.values()}
        if self.workspace is not None:
            records = (self.workspace.status.latest_build, self.workspace.status.last_run)
            versions |= {self.workspace.pinned_version, *(each.version for each in records if each is not None)}
        return {version for version in versions if version is not None}

"""What the controller may decide about templates and workspaces, each a value that names the write to make.

Made by `template_versions` and `workspace_builds`, carried out by the shell. A decision that was not carried out is made
again at the next look. `subject` is the uid of the object concerned: at most one decision about an object is under way at
a time.

Every creation is idempotent by its name: what is there already is the answer to an earlier request, and as good.
"""

from dataclasses import dataclass

from provisioner_operator.api.v1alpha1.enums import Phase, Transition
from provisioner_operator.api.v1alpha1.names import DESTROY_FINALIZER, IN_USE_FINALIZER, build_job_name
from provisioner_operator.core.model.json_patch import JsonPatch, add_finalizer, remove_finalizer
from provisioner_operator.core.model.json_value import JsonObject
from provisioner_operator.core.workspaces import manifests
from provisioner_operator.core.workspaces.records import (
    Build,
    ParameterValues,
    SourceFiles,
    Template,
    TemplateStatus,
    Version,
    Workspace,
    WorkspaceStatus,
)
from provisioner_operator.core.workspaces.status import template_status_patch, workspace_status_patch

SUPERSEDED_BY = "superseded by a newer change of workspace"
"""How the cancelReason of a superseded job begins."""


@dataclass(frozen=True, slots=True)
class ReadSource:
    """Read the ConfigMap that the template's files are in."""

    template: Template


@dataclass(frozen=True, slots=True)
class KeepFiles:
    """Keep the files of a version, whatever becomes of where they came from."""

    template: Template
    version: str
    files: SourceFiles

    def body(self) -> JsonObject:
        """Return the ConfigMap."""
        return manifests.kept_files(self.template, self.version, self.files)


@dataclass(frozen=True, slots=True)
class ImportVersion:
    """Have a version imported by a job."""

    template: Template
    version: Version

    def body(self) -> JsonObject:
        """Return the job."""
        return manifests.import_job(self.template, self.version)


@dataclass(frozen=True, slots=True)
class FindImport:
    """Read the job that imports a version: its end was missed, or it is gone."""

    template: Template
    version: Version


@dataclass(frozen=True, slots=True)
class DiscardVersion:
    """Delete the files of a version that nobody needs."""

    template: Template
    version: str


@dataclass(frozen=True, slots=True)
class HoldTemplate:
    """Put the finalizer on the template, before it has any version."""

    template: Template

    def patch(self) -> JsonPatch:
        """Return the patch of the WorkspaceTemplate."""
        return add_finalizer(IN_USE_FINALIZER, self.template.uid, self.template.finalizers)


@dataclass(frozen=True, slots=True)
class ReleaseTemplate:
    """Let the deleted template go: no workspace is made from it."""

    template: Template

    def patch(self) -> JsonPatch:
        """Return the patch of the WorkspaceTemplate."""
        return remove_finalizer(IN_USE_FINALIZER, self.template.uid, self.template.finalizers)


@dataclass(frozen=True, slots=True)
class UpdateTemplateStatus:
    """Write how the template is."""

    template: Template
    status: TemplateStatus

    def patch(self) -> JsonPatch:
        """The write."""
        return template_status_patch(self.template, self.status)


@dataclass(frozen=True, slots=True)
class HoldWorkspace:
    """Put the finalizer on the workspace, before it has anything to destroy."""

    workspace: Workspace

    def patch(self) -> JsonPatch:
        """Return the patch of the Workspace."""
        return add_finalizer(DESTROY_FINALIZER, self.workspace.uid, self.workspace.finalizers)


@dataclass(frozen=True, slots=True)
class ReleaseWorkspace:
    """Let the deleted workspace go: nothing of it is left, or it is to be left."""

    workspace: Workspace

    def patch(self) -> JsonPatch:
        """Return the patch of the Workspace."""
        return remove_finalizer(DESTROY_FINALIZER, self.workspace.uid, self.workspace.finalizers)


@dataclass(frozen=True, slots=True)
class CreateBuild:
    """Have a change built by a job."""

    workspace: Workspace
    template: Template
    version: Version
    number: int
    transition: Transition
    change: str
    parameters: ParameterValues

    @property
    def job(self) -> str:
        """The job's name."""
        return build_job_name(self.workspace.name, self.number)

    def body(self) -> JsonObject:
        """Return the job."""
        return manifests.build_job(
            self.workspace,
            self.template,
            self.version,
            number=self.number,
            transition=self.transition,
            change=self.change,
            parameters=self.parameters,
        )


@dataclass(frozen=True, slots=True)
class FindBuilds:
    """List the workspace's jobs: what became of the latest was missed, or a name is taken."""

    workspace: Workspace


@dataclass(frozen=True, slots=True)
class Supersede:
    """Cancel a build that has not begun, for something else is wanted by now."""

    workspace: Workspace
    build: Build

    def patch(self) -> JsonPatch:
        """Return the patch of the ProvisionerJob; one that began meanwhile is left alone."""
        return JsonPatch(
            tests=(("/metadata/uid", self.build.job_uid), ("/status/phase", Phase.PENDING), ("/spec/cancel", False)),
            sets=(("/spec/cancel", True), ("/spec/cancelReason", f"{SUPERSEDED_BY} {self.workspace.name}")),
        )


@dataclass(frozen=True, slots=True)
class UpdateWorkspaceStatus:
    """Write how the workspace is."""

    workspace: Workspace
    status: WorkspaceStatus

    def patch(self) -> JsonPatch:
        """The write."""
        return workspace_status_patch(self.workspace, self.status)


TemplateDecision = (
    ReadSource
    | KeepFiles
    | ImportVersion
    | FindImport
    | DiscardVersion
    | HoldTemplate
    | ReleaseTemplate
    | UpdateTemplateStatus
)
BuildDecision = HoldWorkspace | ReleaseWorkspace | CreateBuild | FindBuilds | Supersede | UpdateWorkspaceStatus
WorkspaceDecision = TemplateDecision | BuildDecision


def subject(decision: WorkspaceDecision) -> str:
    """The uid of the object that the decision is about."""
    return decision.workspace.uid if isinstance(decision, BuildDecision) else decision.template.uid


def display_name(decision: WorkspaceDecision) -> str:
    """The object that the decision is about, as people write it."""
    if isinstance(decision, BuildDecision):
        return decision.workspace.display_name
    return decision.template.display_name

"""Decisions about templates and workspaces, each a value that names the write (or read) to make.

Made by `template_plan` and `build_plan`, carried out by `controller.writes`. A decision that was not carried out is made
again in the next round; at most one decision about an object, its `subject`, is in flight at a time.

Every creation is idempotent by its name: if an object of that name is the workspace's or template's own, an earlier
request succeeded.
"""

from dataclasses import dataclass, replace

from typing_extensions import override

from provisioner_operator.api.v1alpha1.enums import Phase, Transition
from provisioner_operator.api.v1alpha1.names import DESTROY_FINALIZER, IN_USE_FINALIZER, build_job_name
from provisioner_operator.core.model.decision import ObjectReference
from provisioner_operator.core.model.json_patch import JsonPatch, add_finalizer, remove_finalizer
from provisioner_operator.core.model.json_value import JsonObject
from provisioner_operator.core.workspaces import manifests
from provisioner_operator.core.workspaces.records import (
    Build,
    BuildRecord,
    ParameterValues,
    PlanJob,
    SourceFiles,
    Template,
    TemplateStatus,
    Version,
    Workspace,
    WorkspaceStatus,
)
from provisioner_operator.core.workspaces.status import template_status_patch, workspace_status_patch

SUPERSEDED_BY = "superseded by a newer change of workspace"
"""Beginning of the cancelReason of a superseded job."""


@dataclass(frozen=True, slots=True)
class _AboutTemplate:
    template: Template

    @property
    def subject(self) -> str:
        """The template's uid."""
        return self.template.uid

    @property
    def display_name(self) -> str:
        """The template as people write it."""
        return self.template.display_name

    @property
    def regarding(self) -> ObjectReference:
        """The template."""
        return ObjectReference("WorkspaceTemplate", self.template.namespace, self.template.name, self.template.uid)


@dataclass(frozen=True, slots=True)
class _AboutWorkspace:
    workspace: Workspace

    @property
    def subject(self) -> str:
        """The workspace's uid."""
        return self.workspace.uid

    @property
    def display_name(self) -> str:
        """The workspace as people write it."""
        return self.workspace.display_name

    @property
    def regarding(self) -> ObjectReference:
        """The workspace."""
        return ObjectReference("Workspace", self.workspace.namespace, self.workspace.name, self.workspace.uid)


@dataclass(frozen=True, slots=True)
class ReadSource(_AboutTemplate):
    """Read the ConfigMap that holds the template's files."""


@dataclass(frozen=True, slots=True)
class KeepFiles(_AboutTemplate):
    """Keep the files of a version, whatever happens to their source."""

    version: str
    files: SourceFiles

    def body(self) -> JsonObject:
        """Return the ConfigMap."""
        return manifests.kept_files(self.template, self.version, self.files)


@dataclass(frozen=True, slots=True)
class ImportVersion(_AboutTemplate):
    """Import a version by a job."""

    version: Version

    def body(self) -> JsonObject:
        """Return the job."""
        return manifests.import_job(self.template, self.version)


@dataclass(frozen=True, slots=True)
class FindImport(_AboutTemplate):
    """Read the job that imports a version: its end was missed, or it is gone."""

    version: Version


@dataclass(frozen=True, slots=True)
class FindWorkspaces(_AboutTemplate):
    """List the Workspaces of the template's namespace, before anything of it is dropped in a new term of leadership."""

    @property
    @override
    def subject(self) -> str:
        """The namespace: one list serves all its templates."""
        return f"Workspaces of {self.template.namespace}"


@dataclass(frozen=True, slots=True)
class DiscardVersion(_AboutTemplate):
    """Delete the files of a version that is no longer needed."""

    version: str


@dataclass(frozen=True, slots=True)
class HoldTemplate(_AboutTemplate):
    """Add the finalizer to a template, before it has any version."""

    def patch(self) -> JsonPatch:
        """Return the patch of the WorkspaceTemplate."""
        return add_finalizer(IN_USE_FINALIZER, self.template.uid, self.template.finalizers)


@dataclass(frozen=True, slots=True)
class ReleaseTemplate(_AboutTemplate):
    """Remove the finalizer of a deleted template that no workspace uses."""

    def patch(self) -> JsonPatch:
        """Return the patch of the WorkspaceTemplate."""
        return remove_finalizer(IN_USE_FINALIZER, self.template.uid, self.template.finalizers)


@dataclass(frozen=True, slots=True)
class UpdateTemplateStatus(_AboutTemplate):
    """Write the template's status."""

    status: TemplateStatus

    def patch(self) -> JsonPatch:
        """Return the patch of the WorkspaceTemplate's status."""
        return template_status_patch(self.template, self.status)


@dataclass(frozen=True, slots=True)
class HoldWorkspace(_AboutWorkspace):
    """Add the finalizer to a workspace, before it has anything to destroy."""

    def patch(self) -> JsonPatch:
        """Return the patch of the Workspace."""
        return add_finalizer(DESTROY_FINALIZER, self.workspace.uid, self.workspace.finalizers)


@dataclass(frozen=True, slots=True)
class ReleaseWorkspace(_AboutWorkspace):
    """Remove the finalizer of a deleted workspace: nothing of it is left, or what is left is to be kept."""

    def patch(self) -> JsonPatch:
        """Return the patch of the Workspace."""
        return remove_finalizer(DESTROY_FINALIZER, self.workspace.uid, self.workspace.finalizers)


@dataclass(frozen=True, slots=True)
class _CreateJob(_AboutWorkspace):
    template: Template
    version: Version
    number: int
    transition: Transition
    change: str
    parameters: ParameterValues

    @property
    def job(self) -> str:
        """Name of the job."""
        return build_job_name(self.workspace.name, self.number)


@dataclass(frozen=True, slots=True)
class CreateBuild(_CreateJob):
    """Build a change by a job."""

    plan: JsonObject | None = None
    """Reference to the approved plan that it applies; None if it plans by itself."""

    def with_plan(self, job: str, digest: str) -> "CreateBuild":
        """Return the build that applies the plan that this job keeps."""
        return replace(self, plan={"job": job, "digest": digest})

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
            plan=self.plan,
        )


@dataclass(frozen=True, slots=True)
class CreatePlan(_CreateJob):
    """Plan a change by a job that keeps the plan until somebody has approved it."""

    @classmethod
    def of(cls, build: CreateBuild) -> "CreatePlan":
        """Return the plan of this build, with its number: the build itself gets a later one."""
        return cls(
            build.workspace,
            build.template,
            build.version,
            build.number,
            build.transition,
            build.change,
            build.parameters,
        )

    def body(self) -> JsonObject:
        """Return the job."""
        return manifests.kept_plan_job(
            self.workspace,
            self.template,
            self.version,
            number=self.number,
            transition=self.transition,
            change=self.change,
            parameters=self.parameters,
        )


@dataclass(frozen=True, slots=True)
class CreateDriftCheck(_AboutWorkspace):
    """Check by a job whether the resources are as the last completed build left them."""

    template: Template
    version: Version
    build: BuildRecord
    job: str
    """Name of the job."""

    def body(self) -> JsonObject:
        """Return the job."""
        return manifests.drift_check_job(self.job, self.workspace, self.template, self.version, self.build)


@dataclass(frozen=True, slots=True)
class CheckWorkspace(_AboutWorkspace):
    """Read the workspace: a former leader may have built it since the watch last showed it."""


@dataclass(frozen=True, slots=True)
class FindBuilds(_AboutWorkspace):
    """List the workspace's jobs, then read the workspace: the end of the latest was missed, or a name is taken."""


@dataclass(frozen=True, slots=True)
class Supersede(_AboutWorkspace):
    """Cancel a build, or its plan, that has not begun because the desired state has changed."""

    build: Build | PlanJob

    def patch(self) -> JsonPatch:
        """Return the patch of the ProvisionerJob, which fails if the job has begun meanwhile."""
        return JsonPatch(
            tests=(("/metadata/uid", self.build.job_uid), ("/status/phase", Phase.PENDING), ("/spec/cancel", False)),
            sets=(("/spec/cancel", True), ("/spec/cancelReason", f"{SUPERSEDED_BY} {self.workspace.name}")),
        )


@dataclass(frozen=True, slots=True)
class UpdateWorkspaceStatus(_AboutWorkspace):
    """Write the workspace's status."""

    status: WorkspaceStatus

    def patch(self) -> JsonPatch:
        """Return the patch of the Workspace's status."""
        return workspace_status_patch(self.workspace, self.status)


TemplateDecision = (
    ReadSource
    | KeepFiles
    | ImportVersion
    | FindImport
    | FindWorkspaces
    | DiscardVersion
    | HoldTemplate
    | ReleaseTemplate
    | UpdateTemplateStatus
)
BuildDecision = (
    HoldWorkspace
    | ReleaseWorkspace
    | CheckWorkspace
    | FindBuilds
    | CreateBuild
    | CreateDriftCheck
    | CreatePlan
    | Supersede
    | UpdateWorkspaceStatus
)
WorkspaceDecision = TemplateDecision | BuildDecision
